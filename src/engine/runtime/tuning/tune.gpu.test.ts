import { afterEach, beforeEach, expect, test } from "vitest";
import { EngineError } from "../../contract/index.ts";
import { PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import { acquireGpu, type Findings, type Gpu } from "../../gpu/device.ts";
import { canRun, type MatmulShape } from "../kernels/matmulKernels.ts";
import { type Contest, decideContests } from "./tune.ts";
import { matmulCandidates, matmulChoice, matmulContests } from "./tuneMatmul.ts";

const PLENTY_MS = 60_000;
const SHAPE = {
  rows: 20,
  inputs: 64,
  outputs: 64,
  format: PLAIN_FORMATS.F32,
  layout: "out_in",
} as const;

const opened: Gpu[] = [];
async function openGpu(findings?: Findings): Promise<Gpu> {
  const gpu = await acquireGpu(navigator.gpu, { findings });
  opened.push(gpu);
  return gpu;
}
let gpu: Gpu;
beforeEach(async () => {
  gpu = await openGpu();
});
afterEach(() => {
  for (const each of opened.splice(0)) each.destroy();
});

/** A contest between multiples of one real product, which counts what was asked of it. */
function multiples(times: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const contest = (own: Gpu): Contest => {
    const [real] = matmulContests(own, [SHAPE]);
    return {
      name: "multiples",
      candidates: Object.keys(times),
      prepare(recorder, scope) {
        const run = (real as Contest).prepare(recorder, scope);
        return async (candidate) => {
          asked.push(candidate);
          const count = times[candidate] ?? 0;
          if (count === 0) throw new EngineError("internal", "a driver's complaint");
          for (let i = 0; i < count; i++) await run("registers");
        };
      },
    };
  };
  return { contest, asked };
}

test("the faster kernel wins, is kept with the device, and gives its memory back", async () => {
  const { contest, asked } = multiples({ rule: 12, fast: 1 });
  expect((await decideContests(gpu, [contest(gpu)], PLENTY_MS)).get("multiples")).toBe("fast");
  const { length } = asked;
  expect(length).toBeGreaterThan(0);
  expect((await decideContests(gpu, [contest(gpu)], PLENTY_MS)).get("multiples")).toBe("fast");
  expect(asked).toHaveLength(length);
  expect(gpu.pool.usedBytes).toBe(0);
});

test("a decision is kept for the adapter's next device", async () => {
  const kept = new Map<string, unknown>();
  const findings: Findings = {
    get: async (key) => kept.get(key),
    set: async (key, value) => void kept.set(key, value),
  };
  const { contest, asked } = multiples({ rule: 12, fast: 1 });
  const first = await openGpu(findings);
  await decideContests(first, [contest(first)], PLENTY_MS);
  asked.length = 0;
  const next = await openGpu(findings);
  expect((await decideContests(next, [contest(next)], PLENTY_MS)).get("multiples")).toBe("fast");
  expect(asked).toEqual([]);

  // A candidate that no longer exists is no answer.
  for (const key of kept.keys()) kept.set(key, { multiples: "gone" });
  const later = await openGpu(findings);
  expect((await decideContests(later, [contest(later)], 0)).get("multiples")).toBeUndefined();
});

test("without time, room or a kernel that runs, nothing is decided", async () => {
  const late = multiples({ rule: 12, fast: 1 });
  expect((await decideContests(gpu, [late.contest(gpu)], -1)).get("multiples")).toBeUndefined();
  expect(late.asked).toEqual([]);

  const small = await acquireGpu(navigator.gpu, { budgetBytes: 1000 });
  opened.push(small);
  const full = multiples({ rule: 12, fast: 1 });
  const winners = await decideContests(small, [full.contest(small)], PLENTY_MS);
  expect(winners.get("multiples")).toBeUndefined();
  expect(small.pool.usedBytes).toBe(0);

  const other = await openGpu();
  const broken = multiples({ rule: 1, broken: 0 });
  const left = await decideContests(other, [broken.contest(other)], PLENTY_MS);
  expect(left.get("multiples")).toBe("rule");
  expect(broken.asked).toContain("broken");
});

test("only kernels that the device offers take part, and odd matrices keep to the rule", async () => {
  for (const dtype of ["F32", "F16"] as const) {
    for (const rows of [1, 8, 64, 500]) {
      const shape: MatmulShape = { ...SHAPE, rows, format: PLAIN_FORMATS[dtype] };
      const candidates = matmulCandidates(gpu, shape);
      expect(candidates[0]).toBe(matmulChoice(gpu, new Map())(shape));
      expect(candidates.every((kernel) => canRun(kernel, shape, gpu.device.features))).toBe(true);
    }
  }
  expect(matmulContests(gpu, [{ ...SHAPE, inputs: 63 }])).toEqual([]);
});

test("real kernels are timed, and one of them is chosen for all shapes of the class", async () => {
  const contests = matmulContests(gpu, [SHAPE, { ...SHAPE, rows: 64 }]);
  expect(contests).toHaveLength(1);
  const choice = matmulChoice(gpu, await decideContests(gpu, contests, PLENTY_MS));
  expect(contests[0]?.candidates).toContain(choice(SHAPE));
  expect(choice({ ...SHAPE, rows: 64 })).toBe(choice(SHAPE));
});

test("a clock that runs out in the middle leaves only winners that were timed", async () => {
  const kept = new Map<string, unknown>();
  const own = await openGpu({
    get: async (key) => kept.get(key),
    set: async (key, value) => void kept.set(key, value),
  });
  // Every run takes as many milliseconds of the clock as it is said to; real time does not count.
  let clock = 0;
  const contest = (name: string, times: Readonly<Record<string, number>>): Contest => {
    const [real] = matmulContests(own, [SHAPE]);
    return {
      name,
      candidates: Object.keys(times),
      prepare(recorder, scope) {
        const run = (real as Contest).prepare(recorder, scope);
        const add = recorder.finish.bind(recorder);
        let pending = 0;
        recorder.finish = async () => {
          await add();
          clock += pending;
          pending = 0;
        };
        return async (candidate) => {
          pending += times[candidate] as number;
          await run("registers");
        };
      },
    };
  };
  const contests = () => [
    contest("first", { rule: 9000, fast: 3000 }),
    contest("second", { rule: 9000, fast: 3000 }),
    contest("third", { rule: 9000, fast: 3000 }),
  ];
  // A contest takes 36 s for compiling and first runs, and 3 · 12 s for three rounds: 72 s.
  const some = await decideContests(own, contests(), 90_000, () => clock);
  expect([...some]).toEqual([["first", "fast"]]);
  expect([...kept.values()]).toEqual([{ first: "fast" }]);
  // The next model that is opened takes up where the time was over.
  const more = await decideContests(own, contests(), 600_000, () => clock);
  expect(["first", "second", "third"].map((name) => more.get(name))).toEqual([
    "fast",
    "fast",
    "fast",
  ]);
  expect([...kept.values()]).toEqual([{ first: "fast", second: "fast", third: "fast" }]);
});
