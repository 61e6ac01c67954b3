// Functions entry by entry: arithmetic, comparisons, NumPy's elementwise functions.

/** x + y + ... */
function add(x, y, ...rest) {
  return rest.reduce(
    (total, z) => zipEntries(total, z, (a, b) => a + b),
    zipEntries(x, y, (a, b) => a + b),
  );
}

/** x - y. */
function sub(x, y) {
  return zipEntries(x, y, (a, b) => a - b);
}

/** x times y times ..., entry by entry. */
function mul(x, y, ...rest) {
  return rest.reduce(
    (product, z) => zipEntries(product, z, (a, b) => a * b),
    zipEntries(x, y, (a, b) => a * b),
  );
}

/** x / y. */
function div(x, y) {
  return zipEntries(x, y, (a, b) => a / b);
}

/** -x. */
function neg(x) {
  return mapEntries(x, (a) => -a);
}

/** x to the power y; 1 to any power is 1. */
function pow(x, y) {
  return zipEntries(x, y, (a, b) => (a === 1 ? 1 : a ** b));
}

/** The largest whole number up to x / y. */
function floorDiv(x, y) {
  return zipEntries(x, y, (a, b) => Math.floor(a / b));
}

/** The remainder of x / y, with the sign of y. */
function mod(x, y) {
  return zipEntries(x, y, (a, b) => a - b * Math.floor(a / b));
}

/** 1 where x < y, 0 elsewhere. */
function less(x, y) {
  return zipEntries(x, y, (a, b) => Number(a < b));
}

/** 1 where x <= y, 0 elsewhere. */
function lessEqual(x, y) {
  return zipEntries(x, y, (a, b) => Number(a <= b));
}

/** 1 where x > y, 0 elsewhere. */
function greater(x, y) {
  return zipEntries(x, y, (a, b) => Number(a > b));
}

/** 1 where x >= y, 0 elsewhere. */
function greaterEqual(x, y) {
  return zipEntries(x, y, (a, b) => Number(a >= b));
}

/** 1 where x equals y, 0 elsewhere. */
function equal(x, y) {
  return zipEntries(x, y, (a, b) => Number(a === b));
}

/** 1 where x differs from y, 0 elsewhere. */
function notEqual(x, y) {
  return zipEntries(x, y, (a, b) => Number(a !== b));
}

/** 1 where both masks are set. */
function logicalAnd(x, y) {
  return zipEntries(x, y, (a, b) => Number(a !== 0 && b !== 0));
}

/** 1 where one of two masks is set, or both are. */
function logicalOr(x, y) {
  return zipEntries(x, y, (a, b) => Number(a !== 0 || b !== 0));
}

/** 1 where exactly one of two masks is set. */
function logicalXor(x, y) {
  return zipEntries(x, y, (a, b) => Number((a !== 0) !== (b !== 0)));
}

/** 1 where a mask is not set. */
function logicalNot(x) {
  return mapEntries(x, (a) => Number(a === 0));
}

/** x where the condition holds, y elsewhere. */
function where(condition, x, y) {
  const chosen = zipEntries(condition, x, (c, a) => (c ? a : 0));
  return add(
    chosen,
    zipEntries(condition, y, (c, b) => (c ? 0 : b)),
  );
}

/** The larger of two, entry by entry. */
function maximum(x, y) {
  return zipEntries(x, y, Math.max);
}

/** The smaller of two, entry by entry. */
function minimum(x, y) {
  return zipEntries(x, y, Math.min);
}

/** x, but no entry below the lower bound or above the upper one; null is no bound. */
function clip(x, lower, upper) {
  const above = lower === null ? x : maximum(x, lower);
  return upper === null ? above : minimum(above, upper);
}

/** |x|. */
function abs(x) {
  return mapEntries(x, Math.abs);
}

/** The sign of x: -1, 0 or 1. */
function sign(x) {
  return mapEntries(x, Math.sign);
}

/** x squared. */
function square(x) {
  return mapEntries(x, (a) => a * a);
}

/** The square root of x. */
function sqrt(x) {
  return mapEntries(x, Math.sqrt);
}

/** e^x. */
function exp(x) {
  return mapEntries(x, Math.exp);
}

/** 2^x. */
function exp2(x) {
  return mapEntries(x, (a) => 2 ** a);
}

/** e^x - 1, without cancellation near 0. */
function expm1(x) {
  return mapEntries(x, Math.expm1);
}

/** The natural logarithm of x. */
function log(x) {
  return mapEntries(x, Math.log);
}

/** The logarithm of x to the base 2. */
function log2(x) {
  return mapEntries(x, Math.log2);
}

/** The logarithm of x to the base 10. */
function log10(x) {
  return mapEntries(x, Math.log10);
}

/** log(1 + x), without cancellation near 0. */
function log1p(x) {
  return mapEntries(x, Math.log1p);
}

/** log(e^x + e^y), without overflow. */
function logaddexp(x, y) {
  return zipEntries(x, y, (a, b) =>
    a === b ? a + Math.LN2 : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))),
  );
}

/** sin x. */
function sin(x) {
  return mapEntries(x, Math.sin);
}

/** cos x. */
function cos(x) {
  return mapEntries(x, Math.cos);
}

/** tan x. */
function tan(x) {
  return mapEntries(x, Math.tan);
}

/** The angle whose sine is x. */
function arcsin(x) {
  return mapEntries(x, Math.asin);
}

/** The angle whose cosine is x. */
function arccos(x) {
  return mapEntries(x, Math.acos);
}

/** The angle whose tangent is x. */
function arctan(x) {
  return mapEntries(x, Math.atan);
}

/** The angle of the point (x, y), where y comes first. */
function arctan2(y, x) {
  return zipEntries(y, x, Math.atan2);
}

/** The hyperbolic sine of x. */
function sinh(x) {
  return mapEntries(x, Math.sinh);
}

/** The hyperbolic cosine of x. */
function cosh(x) {
  return mapEntries(x, Math.cosh);
}

/** The hyperbolic tangent of x. */
function tanh(x) {
  return mapEntries(x, Math.tanh);
}

/** The number whose hyperbolic sine is x. */
function arcsinh(x) {
  return mapEntries(x, Math.asinh);
}

/** The number whose hyperbolic cosine is x. */
function arccosh(x) {
  return mapEntries(x, Math.acosh);
}

/** The number whose hyperbolic tangent is x. */
function arctanh(x) {
  return mapEntries(x, Math.atanh);
}

/** The largest whole number up to x. */
function floor(x) {
  return mapEntries(x, Math.floor);
}

/** The smallest whole number from x on. */
function ceil(x) {
  return mapEntries(x, Math.ceil);
}

/** x without its decimals. */
function trunc(x) {
  return mapEntries(x, Math.trunc);
}

/** The whole number nearest to x; halves go to the even one. */
function round(x) {
  return mapEntries(x, (a) => {
    const below = Math.floor(a);
    if (a - below !== 0.5) return Math.round(a);
    return below % 2 === 0 ? below : below + 1;
  });
}

/** 1 where x is a finite number. */
function isfinite(x) {
  return mapEntries(x, (a) => Number(Number.isFinite(a)));
}

/** 1 where x is not a number. */
function isnan(x) {
  return mapEntries(x, (a) => Number(Number.isNaN(a)));
}
