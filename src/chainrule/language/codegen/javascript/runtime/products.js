// Products of matrices.

/** The matrix product; axes before the last two are repeated where they have length 1. */
function matmul(a, b) {
  const [n, h] = a.shape.slice(-2);
  const [k, m] = b.shape.slice(-2);
  if (a.shape.length < 2 || b.shape.length < 2 || h !== k) {
    throw new RangeError(
      `(${a.shape.join(", ")}) times (${b.shape.join(", ")}) does not fit`,
    );
  }
  const [lead, other] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const blocks = commonShape(lead, other);
  const [left, right] = [
    repeatedPositions({ shape: lead }, blocks),
    repeatedPositions({ shape: other }, blocks),
  ];
  const data = new Float64Array(left.length * n * m);
  for (let block = 0; block < left.length; block++) {
    const [first, second, third] = [
      left[block] * n * h,
      right[block] * h * m,
      block * n * m,
    ];
    for (let i = 0; i < n; i++) {
      for (let p = 0; p < h; p++) {
        const factor = a.data[first + i * h + p];
        for (let j = 0; j < m; j++)
          data[third + i * m + j] += factor * b.data[second + p * m + j];
      }
    }
  }
  return { shape: [...blocks, n, m], data };
}

/** The products of all entries of one with all entries of the other. */
function outer(x, y) {
  return mul(reshape(x, [-1, 1]), reshape(y, [1, -1]));
}

/** The Kronecker product of two matrices. */
function kron(a, b) {
  const [n, m] = a.shape;
  const [h, k] = b.shape;
  return reshape(mul(reshape(a, [n, 1, m, 1]), reshape(b, [1, h, 1, k])), [
    n * h,
    m * k,
  ]);
}

/** Products of entries, summed over the letters that do not stand behind the arrow. */
function einsum(subscripts, ...operands) {
  const [inputs, output] = subscripts.replace(/\s/g, "").split("->");
  const letters = inputs.split(",");
  const sizes = {};
  letters.forEach((word, k) => {
    if (word.length !== operands[k].shape.length)
      throw new RangeError(`${word} of ${subscripts}`);
    [...word].forEach((letter, axis) => {
      const size = operands[k].shape[axis];
      if ((sizes[letter] ?? size) !== size)
        throw new RangeError(`${letter} in ${subscripts}`);
      sizes[letter] = size;
    });
  });
  const every = Object.keys(sizes);
  const shape = every.map((letter) => sizes[letter]);
  const along = (word, own) => {
    const strides = stridesOf(own);
    const steps = every.map((letter) =>
      [...word].reduce(
        (step, other, axis) => step + (other === letter ? strides[axis] : 0),
        0,
      ),
    );
    return positionsOf(shape, steps);
  };
  const places = operands.map((x, k) => along(letters[k], x.shape));
  const result = [...output].map((letter) => sizes[letter]);
  const target = along(output, result);
  const data = new Float64Array(entriesOf(result));
  for (let k = 0; k < target.length; k++) {
    data[target[k]] += operands.reduce(
      (product, x, place) => product * x.data[places[place][k]],
      1,
    );
  }
  return { shape: result, data };
}
