import { expect, test } from "vitest";
import { fakeJob } from "../../stores/fakeEngine.ts";
import { fakeFusion, fakeMember } from "../../stores/fakeFusion.ts";
import { fusionSteps, leastCoverage } from "./fusionSteps.ts";

const job = (label: string, state: "running" | "interrupted" | "done" = "running") => {
  const progress = { doneBytes: 1, totalBytes: 9, label, bytesPerSecond: null, secondsLeft: null };
  return fakeJob("f", { kind: "fuse", state, progress });
};
const states = (...given: Parameters<typeof fusionSteps>) =>
  fusionSteps(...given).map(({ state }) => state);

test("the step that is being done is told from the job's label", () => {
  expect(states(job("fusing-7b reads document 3 of 9"), undefined)).toEqual([
    "now",
    "todo",
    "todo",
  ]);
  expect(states(job("Aligning flint: document 1 of 9"), undefined)).toEqual([
    "done",
    "now",
    "todo",
  ]);
  expect(states(job("Fusing document 3 of 9"), fakeFusion("old"))).toEqual(["done", "done", "now"]);
});

test("an interrupted fusion says where it stopped, one that is over leaves its result", () => {
  expect(fusionSteps(job("Mapping the vocabulary of flint", "interrupted"), undefined)[1]).toEqual({
    stage: "Align",
    state: "now",
    words: "stopped here",
  });
  expect(states(job("Fuse", "done"), undefined)).toEqual(["todo", "todo", "todo"]);
  const words = fusionSteps(undefined, fakeFusion("f")).map((step) => step.words);
  expect(words.map((one) => one.replaceAll("\u00a0", " "))).toEqual([
    "3 texts · 2 models",
    "97 % of the pivot’s rows",
    "MinCE: pivot 38 %, flint 62 %",
  ]);
});

test("of several sources the least coverage counts", () => {
  const members = [
    fakeMember("p"),
    fakeMember("a", { covered: 90 }),
    fakeMember("b", { covered: 80 }),
  ];
  expect(leastCoverage(fakeFusion("f", { members }))).toBe(0.8);
  expect(leastCoverage(fakeFusion("f", { members, rows: 0 }))).toBe(0);
});
