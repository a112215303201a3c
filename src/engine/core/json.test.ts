import fc from "fast-check";
import { expect, test } from "vitest";
import { clip, findJsonProblem, type JsonMember, parsePythonJson } from "./json.ts";

const RULES = { maxDepth: 8, duplicateKeys: "refuse" } as const;
const problem = (text: string) => findJsonProblem(text, RULES);

test("says line, column and what was expected", () => {
  expect(problem('{\n  "a": 1\n  "b": 2\n}')).toEqual({
    offset: 13,
    line: 3,
    column: 3,
    reason: 'expected "," or "}", found "\\""',
  });
});

test("agrees with JSON.parse about every text a character away from JSON", () => {
  const parses = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const rules = { maxDepth: 50, duplicateKeys: "allow" } as const;
  const seen = { good: 0, bad: 0 };
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom("", "", ...'{}[]":,\\-+.eE01tfn \n\t\u0001\u00a0'),
      fc.nat(1),
      (json, where, put, drop) => {
        const at = where % (json.length + 1);
        const text = json.slice(0, at) + put + json.slice(at + (put === "" ? 0 : drop));
        seen[parses(text) ? "good" : "bad"] += 1;
        expect(findJsonProblem(text, rules) === null).toBe(parses(text));
      },
    ),
    { seed: 11, numRuns: 3000 },
  );
  expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(200);
});

test("equal keys are found however they are spelled, and allowed where that is the rule", () => {
  expect(problem('{"ab":1,"a\\u0062":2}')?.reason).toBe('the key "ab" is there twice');
  expect(problem('{"a":{"b":1},"b":{"b":1}}')).toBeNull();
  expect(findJsonProblem('{"a":1,"a":2}', { ...RULES, duplicateKeys: "allow" })).toBeNull();
});

test("depth is bounded, in objects and lists alike", () => {
  expect(problem("[".repeat(9) + "]".repeat(9))).toBeNull();
  expect(problem("[".repeat(10) + "]".repeat(10))?.reason).toContain("8 levels");
  expect(problem('{"a":'.repeat(100_000))?.reason).toContain("8 levels");
});

test("members come with the exact place of their value", () => {
  const text = '{ "a" : 1e-05 , "b": {"c":[1, 2]} }';
  const members: JsonMember[] = [];
  findJsonProblem(text, { ...RULES, onMember: (member) => members.push(member) });
  expect(
    members.map(({ path, key, start, end }) => [...path, key, text.slice(start, end)]),
  ).toEqual([
    ["a", "1e-05"],
    ["b", "c", "[1, 2]"],
    ["b", '{"c":[1, 2]}'],
  ]);
});

test("a long name is cut for a sentence, a short one is not", () => {
  expect(clip("a\nb")).toBe('"a\\nb"');
  expect(clip("x".repeat(500))).toHaveLength(122);
});

test("Python's numbers are read as it means them, in any place of a value and in no other", () => {
  const read = (text: string) => parsePythonJson(text, RULES);
  expect(read('{"a":[0.0, Infinity], "b": -Infinity, "c":{"d":NaN}, "e":"NaN, Infinity"}')).toEqual(
    {
      value: { a: [0, Infinity], b: -Infinity, c: { d: Number.NaN }, e: "NaN, Infinity" },
    },
  );
  expect(read("Infinity")).toEqual({ value: Infinity });
  for (const text of ["{NaN:1}", "+Infinity", "-NaN", "[Infinit]", "nan", "[NaNa]", "[1 NaN]"]) {
    expect(read(text)).toHaveProperty("problem.line", 1);
  }
  expect(problem("[NaN]")?.reason).toContain("expected a value");
});
