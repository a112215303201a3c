import { describe, expect, test } from "vitest";
import { EngineError } from "../contract/index.ts";
import { parseRecipe } from "../merge/recipe/parseRecipe.ts";
import { readYaml } from "../merge/recipe/yamlNodes.ts";
import { parsePipeline } from "./pipelineFile.ts";

/** The error that reading ends with, and how long it took. */
function refusalOf(read: () => unknown) {
  const begun = performance.now();
  try {
    read();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { error, milliseconds: performance.now() - begun };
  }
  throw new Error("the text was not refused");
}

const numbered = (count: number, write: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i));

/** Ten anchors, each a list of ten aliases of the one before: 10¹⁰ values. */
const LAUGHS = [
  "l0: &l0 [ha]",
  ...numbered(10, (i) => `l${i + 1}: &l${i + 1} [${numbered(10, () => `*l${i}`).join(", ")}]`),
].join("\n");
/** The same with merge keys: 10¹⁰ mappings. */
const MERGED_LAUGHS = [
  "l0: &l0 {ha: 1}",
  ...numbered(
    10,
    (i) => `l${i + 1}: &l${i + 1} {<<: [${numbered(10, () => `*l${i}`).join(", ")}]}`,
  ),
].join("\n");

/** Texts that ask for more than they are worth: anchors, and a value under test. */
const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["billion laughs", LAUGHS, "*l10"],
  ["billion laughs of merge keys", MERGED_LAUGHS, "*l10"],
  ["60,000 keys", "", `{${numbered(60_000, (i) => `k${i}: 1`).join(", ")}}`],
  ["60,000 equal keys", "", `{${numbered(60_000, () => "k: 1").join(", ")}}`],
  ["a mapping that merges itself", "", "&self {<<: *self, weight: 1}"],
  ["a list that holds itself", "", "&self [*self, *self]"],
  [
    "a chain of 5,000 anchors that merge the one before",
    ["c0: &c0 {w: 1}", ...numbered(5000, (i) => `c${i + 1}: &c${i + 1} {<<: *c${i}}`)].join("\n"),
    "*c5000",
  ],
  [
    "a chain of 5,000 anchors that hold the one before",
    ["c0: &c0 [1]", ...numbered(5000, (i) => `c${i + 1}: &c${i + 1} [*c${i}]`)].join("\n"),
    "*c5000",
  ],
  ["an alias of nothing", "", "*nothing"],
  ["nesting without an end", "", "[".repeat(100_000)],
  ["a tag that makes an object", "", "!!python/object:os.system {}"],
];
const RECIPE = "merge_method: linear\nmodels:\n- model: a\n  parameters: HOLE\n";
const PIPELINE = "pivot: p\nsources: [a]\ndata: d\ntrain: HOLE\n";
/** Reading takes about a tenth of it; a nest that unfolded would take hours. */
const LIMIT_MS = 5000;

describe.each([
  ["a recipe", RECIPE, parseRecipe],
  ["a pipeline", PIPELINE, parsePipeline],
] as const)("%s ends with code, line and column on", (_, form, parse) => {
  test.each(HOSTILE)("%s", (_, anchors, value) => {
    const { error, milliseconds } = refusalOf(() =>
      parse(`${anchors}\n${form.replace("HOLE", () => value)}`),
    );
    const { code, details } = error;
    expect(code).toBe("bad-recipe");
    expect([typeof details.line, typeof details.column]).toEqual(["number", "number"]);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
  });
});

test.each([
  ["billion laughs", `${LAUGHS}\nvalue: *l10\n`, "100000 values"],
  ["billion laughs of merge keys", `${MERGED_LAUGHS}\nvalue: *l10\n`, "100000 values"],
  ["a mapping that merges itself", "value: &self {<<: *self}", '"self" contains itself'],
  ["60,000 keys", numbered(60_000, (i) => `k${i}: 1`).join("\n"), "60000 keys"],
])("all of %s is not unfolded either", (_, text, words) => {
  const { error } = refusalOf(() => {
    const yaml = readYaml(text);
    yaml.plain(yaml.root);
  });
  expect(error.message).toContain(words);
});

test("one document a file, said in words", () => {
  const text = "merge_method: linear\nmodels: [{model: a}]\n---\nmerge_method: linear\n";
  const { error } = refusalOf(() => parsePipeline(text));
  expect(error.message).toMatch(/^Line 4, column 1: a second document starts here\./);
});

test("a mapping's own keys stand before merged ones, and the first merged before later ones", () => {
  const yaml = readYaml(`
- &a {x: 1, y: 1}
- &b {y: 2, z: 2}
- {<<: [*a, *b], x: 3}
`);
  expect(yaml.plain(yaml.items(yaml.root)![2]!)).toEqual({ x: 3, y: 1, z: 2 });
});
