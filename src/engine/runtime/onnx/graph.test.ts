import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineError } from "../../contract/index.ts";
import { readGraph } from "./graph.ts";
import { encodeMessage, encodeModel, externalTensor, type TestField } from "./testGraph.ts";

const codeOf = (bytes: Uint8Array): string => {
  try {
    readGraph(bytes, "m.onnx");
    return "read";
  } catch (error) {
    return error instanceof EngineError ? error.code : String(error);
  }
};

test("sines, cosines, halves and the files of weights are found, each once", () => {
  const nodes = [
    ["a", "Sin"],
    ["b", "MatMul"],
    ["c", "Cos"],
    ["", "Cos"],
  ] as const;
  const weights = [
    externalTensor("w.data"),
    externalTensor("w.data", 10),
    externalTensor("v.data"),
  ];
  expect(readGraph(encodeModel(nodes, weights), "m.onnx")).toEqual({
    externalPaths: ["w.data", "v.data"],
    trigonometry: ["a", "c"],
    halves: true,
  });
});

test("the branches of an If are read like the graph they lie in, and no deeper than eight", () => {
  const sine: TestField = [
    1,
    [
      [3, "inner"],
      [4, "Sin"],
    ],
  ];
  const branch = (content: readonly TestField[]): TestField => [
    1,
    [
      [3, "choice"],
      [4, "If"],
      [
        5,
        [
          [1, "then_branch"],
          [6, content],
        ],
      ],
    ],
  ];
  const model = (graph: TestField) => encodeMessage([[7, [graph]]]);
  expect(readGraph(model(branch([sine, externalTensor("w", 10)])), "m.onnx")).toEqual({
    externalPaths: ["w"],
    trigonometry: ["inner"],
    halves: true,
  });
  let deep = branch([sine]);
  for (let i = 0; i < 8; i++) deep = branch([deep]);
  expect(codeOf(model(deep))).toBe("bad-header");
});

test("weights within the graph are skipped, and are no halves unless they say so", () => {
  const inside = [
    5,
    [
      [1, 3],
      [2, 1],
      [9, "raw bytes that look like nothing"],
    ],
  ] as const;
  expect(readGraph(encodeModel([], [inside]), "m.onnx")).toEqual({
    externalPaths: [],
    trigonometry: [],
    halves: false,
  });
});

test("a field that ends behind its message is refused, one that ends with it is read", () => {
  const model = encodeModel([["a", "Sin"]]);
  expect(codeOf(model)).toBe("read");
  expect(codeOf(model.subarray(0, -1))).toBe("bad-header");
  const longer = model.slice();
  longer[longer.length - 4]! += 1; // the length of "Sin"
  expect(codeOf(longer)).toBe("bad-header");
});

test.each([
  ["no bytes", []],
  ["a length of 2^63", [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ["a number without an end", Array.from({ length: 40 }, () => 0xff)],
  ["an unknown wire type", [0x3b, 0x00]],
  [
    "another message",
    [
      ...encodeMessage([
        [1, 10],
        [2, "no graph"],
      ]),
    ],
  ],
  ["a number where the graph should be", [...encodeMessage([[7, 1]])]],
])("%s is no model", (_, bytes) => {
  expect(codeOf(Uint8Array.from(bytes))).toBe("bad-header");
});

test("more files of weights than any export has are refused", () => {
  const name = (count: number) => Array.from({ length: count }, (_, i) => externalTensor(`${i}`));
  expect(codeOf(encodeModel([], name(1024)))).toBe("read");
  expect(codeOf(encodeModel([], name(1025)))).toBe("bad-header");
});

test("whatever the bytes are, they are read or refused", () => {
  const model = encodeModel(
    [
      ["a", "Sin"],
      ["b", "Cos"],
    ],
    [externalTensor("w.data")],
  );
  const damage = fc.array(fc.tuple(fc.nat(model.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(damage, (changes) => {
      const bytes = model.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      expect(["read", "bad-header"]).toContain(codeOf(bytes));
    }),
    { seed: 11, numRuns: 500 },
  );
});
