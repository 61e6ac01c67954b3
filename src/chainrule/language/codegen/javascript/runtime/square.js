// Square matrices: elimination, inverses, determinants.

/** A square matrix in rows, each with a row of b behind it, after elimination; its determinant. */
function eliminated(x, b) {
  const [n, m] = x.shape;
  if (x.shape.length !== 2 || n !== m)
    throw new RangeError(`(${x.shape.join(", ")}) is not square`);
  const width = b.shape[1];
  const row = (k) => [
    ...x.data.subarray(k * n, k * n + n),
    ...b.data.subarray(k * width, k * width + width),
  ];
  const rows = Array.from({ length: n }, (_, k) => row(k));
  let [signum, logarithm] = [1, 0];
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++)
      if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    if (pivot !== k) signum = -signum;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    const diagonalEntry = rows[k][k];
    signum *= Math.sign(diagonalEntry);
    logarithm += Math.log(Math.abs(diagonalEntry));
    if (diagonalEntry === 0) break;
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i][k] / diagonalEntry;
      for (let j = k; j < n + width; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return { rows, signum, logarithm };
}

/** The solution of x s = b. */
function solve(x, b) {
  const { rows, signum } = eliminated(x, b);
  if (signum === 0) throw new RangeError("the matrix is singular");
  const [n, width] = b.shape;
  const data = new Float64Array(n * width);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = 0; j < width; j++) {
      let rest = rows[i][n + j];
      for (let k = i + 1; k < n; k++) rest -= rows[i][k] * data[k * width + j];
      data[i * width + j] = rest / rows[i][i];
    }
  }
  return { shape: [n, width], data };
}

/** The inverse of a square matrix. */
function inv(x) {
  return solve(x, eye(x.shape[0]));
}

/** The determinant of a square matrix. */
function det(x) {
  const { rows, signum } = eliminated(x, zeros([x.shape[0], 0]));
  const product = rows.reduce((found, row, k) => found * Math.abs(row[k]), 1);
  return asArray(signum === 0 ? 0 : signum * product);
}

/** The sign of the determinant, and the logarithm of its absolute value. */
function slogdet(x) {
  const { signum, logarithm } = eliminated(x, zeros([x.shape[0], 0]));
  return [asArray(signum), asArray(signum === 0 ? -Infinity : logarithm)];
}

/** A square matrix to a whole power; a negative one is a power of the inverse. */
function matrixPower(x, n) {
  const base = n < 0 ? inv(x) : x;
  return range(0, Math.abs(n)).reduce((found) => matmul(found, base), eye(x.shape[0]));
}
