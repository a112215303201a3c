import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

type Triple = readonly [number, number, number];

const STYLES = readFileSync(join(import.meta.dirname, "..", "ui", "theme", "tokens.css"), "utf8");
const [LIGHT = "", DARK = ""] = STYLES.split(':root[data-mantine-color-scheme="dark"]');
const NAMES = ["--base", "--m1", "--m2", "--m3", "--m4", "--m5", "--m6", "--m7"];

/** Full-strength deficiencies in linear sRGB (Machado, Oliveira & Fernandes 2009, table 1). */
const SIGHTS: Readonly<Record<string, readonly Triple[]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanope: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranope: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanope: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
/** Linear sRGB to XYZ, divided by the white of D65. */
const TO_XYZ: readonly Triple[] = [
  [0.433953, 0.376219, 0.189828],
  [0.212671, 0.71516, 0.072169],
  [0.017758, 0.109477, 0.872766],
];

const apply = (matrix: readonly Triple[], [r, g, b]: Triple) =>
  matrix.map(([x, y, z]) => x * r + y * g + z * b) as unknown as Triple;

function linear(hex: string): Triple {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  return parts.map((c) =>
    c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
  ) as unknown as Triple;
}

function lab(colour: Triple): Triple {
  const clipped = colour.map((c) => Math.min(1, Math.max(0, c))) as unknown as Triple;
  const [x, y, z] = apply(TO_XYZ, clipped).map((t) =>
    t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116,
  ) as unknown as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function colourOf(theme: string, name: string): string {
  const found = new RegExp(`${name}: (#[0-9a-f]{6});`).exec(theme)?.[1];
  if (!found) throw new Error(`${name} has no colour`);
  return found;
}

// About five times what is just seen side by side (CIE76: 2.3): swatches lie apart.
const LEAST = 12;

test.each(
  Object.entries({ light: LIGHT, dark: DARK }).flatMap(([name, theme]) =>
    Object.entries(SIGHTS).map(([sight, matrix]) => [name, sight, theme, matrix] as const),
  ),
)("in the %s theme no two models have one colour to a %s eye", (_, __, theme, matrix) => {
  const seen = NAMES.map((name) => lab(apply(matrix, linear(colourOf(theme, name)))));
  for (const [i, a] of seen.entries()) {
    for (const [j, b] of seen.entries()) {
      if (j <= i) continue;
      const distance = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
      expect(distance, `${NAMES[i]} beside ${NAMES[j]}`).toBeGreaterThanOrEqual(LEAST);
    }
  }
});
