// Making arrays and moving entries: shapes, parts, blocks, places.

/** The array with its axes in another order: by default, in the opposite one. */
function transpose(x, axes = null) {
  const order = axes ?? x.shape.map((_, k) => x.shape.length - 1 - k);
  const strides = stridesOf(x.shape);
  const shape = order.map((axis) => x.shape[axisOf(axis, x.shape.length)]);
  const turned = order.map((axis) => strides[axisOf(axis, x.shape.length)]);
  return picked(x, shape, positionsOf(shape, turned));
}

/** The array with two axes exchanged. */
function swapaxes(x, first, second) {
  const order = [...x.shape.keys()];
  const [i, j] = [axisOf(first, order.length), axisOf(second, order.length)];
  [order[i], order[j]] = [order[j], order[i]];
  return transpose(x, order);
}

/** The same entries, row by row, in another shape; one size may be -1. */
function reshape(x, newshape) {
  const { data } = asArray(x);
  const sizes = [newshape].flat();
  const known = entriesOf(sizes.filter((size) => size !== -1));
  const shape = sizes.map((size) => (size === -1 ? data.length / known : size));
  if (entriesOf(shape) !== data.length || !shape.every(Number.isInteger)) {
    throw new RangeError(`${data.length} entries in the shape (${sizes.join(", ")})`);
  }
  return { shape, data };
}

/** The entries in one line. */
function ravel(x) {
  return reshape(x, [-1]);
}

/** The array with an axis of length 1 more. */
function expandDims(x, axis) {
  const shape = [...x.shape];
  shape.splice(axisOf(axis, shape.length + 1), 0, 1);
  return reshape(x, shape);
}

/** The array without its axes of length 1. */
function squeeze(x, { axis = null } = {}) {
  const gone =
    axis === null ? null : [axis].flat().map((k) => axisOf(k, x.shape.length));
  const stays = (size, k) => (gone === null ? size !== 1 : !gone.includes(k));
  return reshape(x, x.shape.filter(stays));
}

/** The array repeated to a shape. */
function broadcastTo(x, shape) {
  const a = asArray(x);
  const common = commonShape(a.shape, shape);
  if (
    common.length !== shape.length ||
    common.some((size, axis) => size !== shape[axis])
  ) {
    throw new RangeError(
      `(${a.shape.join(", ")}) does not repeat to (${shape.join(", ")})`,
    );
  }
  return picked(a, shape, repeatedPositions(a, shape));
}

/** An array of one number everywhere. */
function full(shape, value) {
  return broadcastTo(value, [shape].flat());
}

/** An array of zeros. */
function zeros(shape) {
  return full(shape, 0);
}

/** An array of ones. */
function ones(shape) {
  return full(shape, 1);
}

/** An array of zeros in the shape of another. */
function zerosLike(x) {
  return zeros(asArray(x).shape);
}

/** An array of ones in the shape of another. */
function onesLike(x) {
  return ones(asArray(x).shape);
}

/** An array of one number in the shape of another. */
function fullLike(x, value) {
  return full(asArray(x).shape, value);
}

/** The whole numbers from the first up to the last, which is left out; with one number, from 0. */
function arange(first, last = null, step = 1) {
  const found = last === null ? range(0, first) : range(first, last, step);
  return { shape: [found.length], data: Float64Array.from(found) };
}

/** The identity: 1 on the diagonal, or on the k-th one above it. */
function eye(rows, columns = rows, { k = 0 } = {}) {
  const data = Float64Array.from({ length: rows * columns }, (_, place) =>
    Number((place % columns) - Math.floor(place / columns) === k),
  );
  return { shape: [rows, columns], data };
}

/** A matrix with zeros above the k-th diagonal. */
function tril(x, { k = 0 } = {}) {
  const [rows, columns] = x.shape.slice(-2);
  const kept = sub(
    reshape(arange(columns), [1, columns]),
    reshape(arange(rows), [rows, 1]),
  );
  return where(lessEqual(kept, k), x, 0);
}

/** A matrix with zeros below the k-th diagonal. */
function triu(x, { k = 0 } = {}) {
  return sub(x, tril(x, { k: k - 1 }));
}

/** The diagonal of a matrix. */
function diagonal(x) {
  const [rows, columns] = x.shape;
  return picked(
    x,
    [Math.min(rows, columns)],
    positionsOf([Math.min(rows, columns)], [columns + 1]),
  );
}

/** A matrix with a line of entries on its diagonal; the diagonal of a matrix. */
function diag(x) {
  return x.shape.length === 1 ? mul(eye(x.shape[0]), x) : diagonal(x);
}

/** The sum of the diagonal. */
function trace(x) {
  return sum(diagonal(x));
}

/** Arrays one behind the other along an axis that they have. */
function concatenate(arrays, { axis = 0 } = {}) {
  const along = axisOf(axis, arrays[0].shape.length);
  const shape = [...arrays[0].shape];
  shape[along] = arrays.reduce((total, x) => total + x.shape[along], 0);
  const strides = stridesOf(shape);
  const data = new Float64Array(entriesOf(shape));
  let start = 0;
  for (const x of arrays) {
    if (x.shape.some((size, k) => k !== along && size !== shape[k])) {
      throw new RangeError(
        `(${x.shape.join(", ")}) beside (${arrays[0].shape.join(", ")})`,
      );
    }
    positionsOf(x.shape, strides, start).forEach(
      (place, k) => (data[place] = x.data[k]),
    );
    start += x.shape[along] * strides[along];
  }
  return { shape, data };
}

/** Arrays one behind the other along a new axis. */
function stack(arrays, { axis = 0 } = {}) {
  return concatenate(
    arrays.map((x) => expandDims(x, axis)),
    { axis },
  );
}

/** The array repeated a number of times along each axis. */
function tile(x, reps) {
  return reps.reduce(
    (found, times, axis) => concatenate(Array(times).fill(found), { axis }),
    x,
  );
}

/** The place that an entry of an array of places names. */
function placeOf(place, size) {
  if (!Number.isInteger(place)) throw new TypeError(`${place} is not a whole number`);
  if (place < -size || place >= size) {
    throw new RangeError(
      `index ${place} is out of bounds for an axis of length ${size}`,
    );
  }
  return place < 0 ? place + size : place;
}

/** The entries of an array at places along an axis. */
function take(x, indices, { axis = 0 } = {}) {
  const along = axisOf(axis, x.shape.length);
  const [before, after] = [x.shape.slice(0, along), x.shape.slice(along + 1)];
  const inner = entriesOf(after);
  const starts = positionsOf(before, stridesOf(x.shape).slice(0, along));
  const places = Array.from(
    indices.data,
    (place) => placeOf(place, x.shape[along]) * inner,
  );
  const found = new Float64Array(starts.length * places.length * inner);
  let filled = 0;
  for (const start of starts) {
    for (const place of places) {
      found.set(x.data.subarray(start + place, start + place + inner), filled);
      filled += inner;
    }
  }
  return { shape: [...before, ...indices.shape, ...after], data: found };
}

/** The entries at places along an axis, where every line has places of its own. */
function takeAlongAxis(x, indices, axis) {
  const along = axisOf(axis, x.shape.length);
  if (indices.shape.some((size, k) => k !== along && size !== x.shape[k])) {
    throw new RangeError(
      `places (${indices.shape.join(", ")}) in (${x.shape.join(", ")})`,
    );
  }
  const strides = stridesOf(x.shape);
  const still = strides.map((stride, k) => (k === along ? 0 : stride));
  const positions = positionsOf(indices.shape, still);
  indices.data.forEach((place, k) => {
    positions[k] += placeOf(place, x.shape[along]) * strides[along];
  });
  return picked(x, indices.shape, positions);
}

/** A part of an array: per axis a number, a range [first, last, step], or an array of places. */
function part(x, ...index) {
  const used = index.filter((entry) => entry !== null && entry !== "...").length;
  const middle = index.includes("...") ? index.indexOf("...") : index.length;
  const whole = Array.from({ length: x.shape.length - used }, () => []);
  const entries = [...index.slice(0, middle), ...whole, ...index.slice(middle + 1)];
  const strides = stridesOf(x.shape);
  const [shape, steps] = [[], []];
  let [axis, start] = [0, 0];
  for (const entry of entries) {
    if (entry === null) {
      shape.push(1);
      steps.push(0);
    } else if (typeof entry === "number") {
      start += placeOf(entry, x.shape[axis]) * strides[axis];
      axis += 1;
    } else if (Array.isArray(entry)) {
      const [first, last, step] = rangeWithin(entry, x.shape[axis]);
      shape.push(Math.max(0, Math.ceil((last - first) / step)));
      steps.push(step * strides[axis]);
      start += first * strides[axis];
      axis += 1;
    } else {
      if (entries.some((other) => other !== entry && !Array.isArray(other))) {
        throw new TypeError("an array of places stands beside ranges alone");
      }
      const rest = entries.map((other) =>
        other === entry ? entry.shape.map(() => []) : [other],
      );
      return part(take(x, entry, { axis }), ...rest.flat());
    }
  }
  return picked(x, shape, positionsOf(shape, steps, start));
}

/** The first place, the place behind the last, and the step of a range within an axis. */
function rangeWithin([first, last, step], size) {
  const by = step ?? 1;
  const within = (place) =>
    Math.max(by < 0 ? -1 : 0, Math.min(by < 0 ? size - 1 : size, place));
  const counted = (place) => within(place < 0 ? place + size : place);
  const [low, high] = by < 0 ? [size - 1, -1] : [0, size];
  return [
    first == null ? low : counted(first),
    last == null ? high : counted(last),
    by,
  ];
}

/** Add values up at places along the first axis of an array, which changes. */
function addAt(x, places, values) {
  const spread = broadcastTo(values, [...places.shape, ...x.shape.slice(1)]);
  const inner = entriesOf(x.shape.slice(1));
  places.data.forEach((place, k) => {
    const start = placeOf(place, x.shape[0]) * inner;
    for (let j = 0; j < inner; j++) x.data[start + j] += spread.data[k * inner + j];
  });
}
