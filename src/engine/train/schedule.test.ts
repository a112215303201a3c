import { expect, test } from "vitest";
import { learningRateAt } from "./schedule.ts";

const at = (schedule: "cosine" | "linear" | "constant", warmup = 0.2) =>
  Array.from({ length: 10 }, (_, step) =>
    learningRateAt({ learningRate: 1, schedule, warmup }, step, 10),
  );

/** From transformers' get_*_schedule_with_warmup(optimizer, 2, 10). */
test.each([
  ["constant", [0, 0.5, 1, 1, 1, 1, 1, 1, 1, 1]],
  ["linear", [0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]],
  ["cosine", [0, 0.5, 1, 0.96194, 0.853553, 0.691342, 0.5, 0.308658, 0.146447, 0.0380602]],
] as const)("%s goes as transformers' does", (schedule, want) => {
  for (const [step, rate] of at(schedule).entries()) {
    expect(Math.abs(rate - want[step]!) <= 1e-6, `step ${step}: ${rate}`).toBe(true);
  }
});

test("without a warm-up the first step has the full rate", () => {
  expect(at("cosine", 0)[0]).toBe(1);
});
