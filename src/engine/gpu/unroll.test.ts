import { expect, test } from "vitest";
import { unrollLoops } from "./unroll.ts";

const loop = (body: string, start = 0) =>
  `a;\nfor (var m = ${start}u; m < MODELS; m++) {${body}}\nb;`;

test("a loop over a linked constant becomes one block per step", () => {
  expect(unrollLoops(loop(" x[m] = m; "), { MODELS: 2 })).toBe(
    "a;\n{ const m = 0u;  x[m] = m; } { const m = 1u;  x[m] = m; }\nb;",
  );
});

test("what follows a loop keeps its line, also when no step is left", () => {
  const body = "\n  x[m] = 1; // {\n  y[m] = 2;\n";
  for (const MODELS of [1, 2, 8]) {
    const lines = unrollLoops(loop(body, 1), { MODELS }).split("\n");
    expect(lines.indexOf("b;"), `${MODELS} models`).toBe(5);
  }
});

test("loops inside of loops are written out too", () => {
  const inner = " for (var o = 0u; o < MODELS; o++) { x[m] += y[o]; } ";
  const code = unrollLoops(loop(inner), { MODELS: 3 });
  expect(code).not.toContain("for");
  expect(code.match(/x\[m\] \+= y\[o\]/g)).toHaveLength(9);
});

test.each([
  ["long", " x[m] = m; ", { MODELS: 9 }],
  ["over something that is not linked", " x[m] = m; ", {}],
  ["left early", " if (x[m] > 1.0) { break; } ", { MODELS: 2 }],
])("a loop that is %s stays a loop", (_, body, constants) => {
  expect(unrollLoops(loop(body), constants)).toBe(loop(body));
});
