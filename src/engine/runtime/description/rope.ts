import type { RopeSpec } from "./spec.ts";

const { fround } = Math;

/**
 * Radians a position turns each pair by, `pairs` of them, and the factor on cos and sin, for a text
 * that is `length` tokens long by the end of the call, which only longrope asks for.
 * Rounded to float32, as in training: at position 100,000 exact frequencies would turn pairs by
 * visibly other angles.
 */
export function ropeFrequencies(
  { theta, dims, pairs, scaling }: RopeSpec,
  length: number,
): {
  readonly frequencies: Float32Array;
  readonly magnitude: number;
} {
  const plain = Float32Array.from(
    { length: pairs },
    (_, j) => 1 / fround(theta ** fround((2 * j) / dims)),
  );
  switch (scaling.kind) {
    case "none":
      return { frequencies: plain, magnitude: 1 };
    case "linear":
      return { frequencies: plain.map((f) => f / scaling.factor), magnitude: 1 };
    case "llama3": {
      const {
        factor,
        lowFrequencyFactor: low,
        highFrequencyFactor: high,
        originalContext,
      } = scaling;
      const frequencies = plain.map((f) => {
        const wavelength = (2 * Math.PI) / f;
        if (wavelength < originalContext / high) return f;
        if (wavelength > originalContext / low) return f / factor;
        const smooth = (originalContext / wavelength - low) / (high - low);
        return ((1 - smooth) * f) / factor + smooth * f;
      });
      return { frequencies, magnitude: 1 };
    }
    case "yarn": {
      // Dimension whose pair makes `rotations` full turns over the original context.
      const dimension = (rotations: number) =>
        (dims * Math.log(scaling.originalContext / (rotations * 2 * Math.PI))) /
        (2 * Math.log(theta));
      let from = dimension(scaling.betaFast);
      let to = dimension(scaling.betaSlow);
      if (scaling.truncate) [from, to] = [Math.floor(from), Math.ceil(to)];
      from = Math.max(from, 0);
      to = Math.min(to, dims - 1);
      if (from === to) to += 0.001;
      const frequencies = plain.map((f, j) => {
        const interpolated = Math.min(Math.max((j - from) / (to - from), 0), 1);
        return (f / scaling.factor) * interpolated + f * (1 - interpolated);
      });
      return { frequencies, magnitude: scaling.attentionFactor };
    }
    case "longrope": {
      const divisors = isLongText({ scaling }, length) ? scaling.long : scaling.short;
      const frequencies = plain.map((f, j) => f / divisors[j]!);
      return { frequencies, magnitude: scaling.attentionFactor };
    }
  }
}

/** Whether longrope rotates all positions of such a text by its long factors. */
export function isLongText({ scaling }: Pick<RopeSpec, "scaling">, length: number): boolean {
  return scaling.kind === "longrope" && length > scaling.originalContext;
}

/** `[rows][pairs]` pairs (cos, sin) for the positions from `start` on. */
export function ropeTable(
  { frequencies, magnitude }: ReturnType<typeof ropeFrequencies>,
  start: number,
  rows: number,
): Float32Array<ArrayBuffer> {
  const half = frequencies.length;
  const table = new Float32Array(rows * half * 2);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < half; j++) {
      const angle = fround((start + row) * frequencies[j]!);
      table[2 * (row * half + j)] = Math.cos(angle) * magnitude;
      table[2 * (row * half + j) + 1] = Math.sin(angle) * magnitude;
    }
  }
  return table;
}
