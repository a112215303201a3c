import { invariant } from "../core/invariant.ts";

/**
 * The t that Student's distribution with `freedom` degrees (any number from 1) stays within with
 * probability `inside`: the solution of I_x(f/2, 1/2) = 1 - inside, where x = f / (f + t²).
 */
export function studentQuantile(inside: number, freedom: number): number {
  invariant(inside > 0 && inside < 1 && freedom >= 1, "a quantile of a distribution");
  let [low, high] = [0, 1];
  // The left side rises with x: sixty bisections fix every bit.
  for (let i = 0; i < 60; i++) {
    const x = (low + high) / 2;
    if (incompleteBeta(x, freedom / 2, 0.5) < 1 - inside) low = x;
    else high = x;
  }
  return Math.sqrt((freedom * (1 - high)) / high);
}

/** The regularised incomplete beta function I_x(a, b), DLMF 8.17. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  // The fraction converges fast below the mean; I_x(a, b) = 1 - I_(1-x)(b, a).
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const logBeta = logGamma(a) + logGamma(b) - logGamma(a + b);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta) / a;
  return front / betaFraction(x, a, b);
}

const MOST_TERMS = 500;

/** Continued fraction of DLMF 8.17.22, by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  let [value, top, bottom] = [1, 1, 0];
  for (let term = 1; term < MOST_TERMS; term++) {
    const m = term >> 1;
    const d =
      term % 2 === 1
        ? (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
        : (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    bottom = 1 / (1 + d * bottom);
    top = 1 + d / top;
    value *= top * bottom;
    if (Math.abs(top * bottom - 1) < 1e-15) break;
  }
  return value;
}

/** ln Γ(x) for x > 0: Stirling's series after a shift to x ≥ 10, whose next term is below 1e-14. */
function logGamma(x: number): number {
  let [at, product] = [x, 1];
  for (; at < 10; at++) product *= at;
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series =
    inverse *
    (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}
