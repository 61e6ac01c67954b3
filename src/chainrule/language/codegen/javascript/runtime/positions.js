// Shapes, strides and positions: what the other files are built from.

/** Verify that every input is { shape: [rows, columns], data } with as many numbers. */
function verifyInputs(inputs) {
  for (const [name, input] of Object.entries(inputs)) {
    const { shape, data } = input ?? {};
    if (shape?.length !== 2 || data?.length !== shape[0] * shape[1]) {
      throw new TypeError(
        `${name} is not { shape: [rows, columns], data } with that many numbers`,
      );
    }
  }
}

/** Verify that every input is { shape, data } with as many numbers as the shape has entries. */
function verifyTensors(inputs) {
  for (const [name, input] of Object.entries(inputs)) {
    const { shape, data } = input ?? {};
    if (!Array.isArray(shape) || data?.length !== entriesOf(shape)) {
      throw new TypeError(`${name} is not { shape, data } with that many numbers`);
    }
  }
}

/** The number of entries of a shape. */
function entriesOf(shape) {
  return shape.reduce((product, size) => product * size, 1);
}

/** The distance in the data between neighbours along each axis. */
function stridesOf(shape) {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1] * shape[axis + 1];
  }
  return strides;
}

/** Where the entries of a shape lie in data with these strides, row by row. */
function positionsOf(shape, strides, start = 0) {
  const positions = new Uint32Array(entriesOf(shape));
  const index = shape.map(() => 0);
  let position = start;
  for (let k = 0; k < positions.length; k++) {
    positions[k] = position;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis];
      index[axis] += 1;
      if (index[axis] < shape[axis]) break;
      position -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return positions;
}

/** The entries of an array at some positions, as an array of a shape. */
function picked(x, shape, positions) {
  const data = new Float64Array(positions.length);
  for (let k = 0; k < data.length; k++) data[k] = x.data[positions[k]];
  return { shape, data };
}

/** An array of a number; an array as it is. */
function asArray(x) {
  return typeof x === "object" ? x : { shape: [], data: Float64Array.of(x) };
}

/** The number in an array of one entry; a number as it is. */
function item(x) {
  if (typeof x !== "object") return Number(x);
  if (x.data.length !== 1)
    throw new TypeError(`(${x.shape.join(", ")}) is more than one number`);
  return x.data[0];
}

/** An axis, counted from the end where it is negative. */
function axisOf(axis, axes) {
  if (axis < -axes || axis >= axes)
    throw new RangeError(`axis ${axis} of ${axes} axes`);
  return axis < 0 ? axis + axes : axis;
}

/** The shape that two shapes are repeated to. */
function commonShape(first, second) {
  const axes = Math.max(first.length, second.length);
  const [a, b] = [first, second].map((shape) => [
    ...Array(axes - shape.length).fill(1),
    ...shape,
  ]);
  return a.map((size, axis) => {
    if (size !== b[axis] && size !== 1 && b[axis] !== 1) {
      throw new RangeError(
        `shapes (${first.join(", ")}) and (${second.join(", ")}) do not fit`,
      );
    }
    return size === 1 ? b[axis] : size;
  });
}

/** Where the entries of a shape lie in an array that is repeated to it. */
function repeatedPositions(x, shape) {
  const strides = stridesOf(x.shape).map((stride, axis) =>
    x.shape[axis] === 1 ? 0 : stride,
  );
  return positionsOf(shape, [
    ...Array(shape.length - x.shape.length).fill(0),
    ...strides,
  ]);
}

/** Apply f to every entry, or to a number. */
function mapEntries(x, f) {
  if (typeof x !== "object") return f(x);
  const data = new Float64Array(x.data.length);
  for (let k = 0; k < data.length; k++) data[k] = f(x.data[k]);
  return { shape: x.shape, data };
}

/** Apply f to the entries of two arrays or numbers; an axis of length 1 is repeated. */
function zipEntries(x, y, f) {
  if (typeof x !== "object" && typeof y !== "object") return f(x, y);
  const [a, b] = [asArray(x), asArray(y)];
  const shape = commonShape(a.shape, b.shape);
  const [left, right] = [repeatedPositions(a, shape), repeatedPositions(b, shape)];
  const data = new Float64Array(left.length);
  for (let k = 0; k < data.length; k++) data[k] = f(a.data[left[k]], b.data[right[k]]);
  return { shape, data };
}

/** Combine the entries along an axis, along several, or all of them. */
function reduceAlong(x, axis, keepdims, first, f) {
  const a = asArray(x);
  const gone =
    axis === null
      ? [...a.shape.keys()]
      : [axis].flat().map((k) => axisOf(k, a.shape.length));
  const kept = a.shape.map((size, k) => (gone.includes(k) ? 1 : size));
  const strides = stridesOf(kept).map((stride, k) => (gone.includes(k) ? 0 : stride));
  const positions = positionsOf(a.shape, strides);
  const data = new Float64Array(entriesOf(kept)).fill(first);
  for (let k = 0; k < positions.length; k++)
    data[positions[k]] = f(data[positions[k]], a.data[k]);
  return { shape: keepdims ? kept : kept.filter((_, k) => !gone.includes(k)), data };
}

/** Apply f to every line of numbers along an axis; f returns a line of the same length. */
function eachLine(x, axis, f) {
  const along = axisOf(axis, x.shape.length);
  const starts = x.shape.map((size, k) => (k === along ? 1 : size));
  const strides = stridesOf(x.shape);
  const data = new Float64Array(x.data.length);
  for (const start of positionsOf(starts, strides)) {
    const places = positionsOf([x.shape[along]], [strides[along]], start);
    const line = f(Array.from(places, (place) => x.data[place]));
    places.forEach((place, k) => (data[place] = line[k]));
  }
  return { shape: x.shape, data };
}

/** Whole numbers from the first up to the last, which is left out. */
function range(first, last, step = 1) {
  const found = [];
  for (let k = first; step > 0 ? k < last : k > last; k += step) found.push(k);
  return found;
}

/** Whether a number or an array of one entry is not 0. */
function truth(x) {
  return item(x) !== 0;
}
