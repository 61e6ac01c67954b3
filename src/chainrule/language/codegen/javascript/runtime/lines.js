// Functions along axes: reductions, running sums, sorting.

/** The sum of the entries. */
function sum(x, { axis = null, keepdims = false } = {}) {
  return reduceAlong(x, axis, keepdims, 0, (total, a) => total + a);
}

/** The product of the entries. */
function prod(x, { axis = null, keepdims = false } = {}) {
  return reduceAlong(x, axis, keepdims, 1, (total, a) => total * a);
}

/** The mean of the entries. */
function mean(x, { axis = null, keepdims = false } = {}) {
  const total = sum(x, { axis, keepdims });
  return div(total, entriesOf(asArray(x).shape) / entriesOf(total.shape));
}

/** The largest entry. */
function max(x, { axis = null, keepdims = false } = {}) {
  return reduceAlong(x, axis, keepdims, -Infinity, Math.max);
}

/** The smallest entry. */
function min(x, { axis = null, keepdims = false } = {}) {
  return reduceAlong(x, axis, keepdims, Infinity, Math.min);
}

/** 1 where some entry is not 0. */
function any(x, { axis = null, keepdims = false } = {}) {
  return reduceAlong(x, axis, keepdims, 0, (found, a) =>
    Number(found !== 0 || a !== 0),
  );
}

/** 1 where no entry is 0. */
function all(x, { axis = null, keepdims = false } = {}) {
  return reduceAlong(x, axis, keepdims, 1, (found, a) =>
    Number(found !== 0 && a !== 0),
  );
}

/** The running sums along an axis. */
function cumsum(x, { axis = null } = {}) {
  return eachLine(axis === null ? ravel(x) : x, axis ?? 0, (line) => {
    let total = 0;
    return line.map((entry) => (total += entry));
  });
}

/** The running products along an axis. */
function cumprod(x, { axis = null } = {}) {
  return eachLine(axis === null ? ravel(x) : x, axis ?? 0, (line) => {
    let product = 1;
    return line.map((entry) => (product *= entry));
  });
}

/** The entries along an axis in increasing order. */
function sort(x, { axis = -1 } = {}) {
  return eachLine(x, axis, (line) => line.sort((a, b) => a - b));
}

/** The places of the entries along an axis in increasing order; ties keep their order. */
function argsort(x, { axis = -1 } = {}) {
  return eachLine(x, axis, (line) =>
    [...line.keys()].sort((i, j) => line[i] - line[j]),
  );
}

/** The entries in the opposite order. */
function flip(x, { axis = null } = {}) {
  const axes = axis === null ? [...x.shape.keys()] : [axis].flat();
  return axes.reduce((turned, k) => eachLine(turned, k, (line) => line.reverse()), x);
}
