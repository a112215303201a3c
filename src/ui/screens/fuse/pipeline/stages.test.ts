import { expect, test } from "vitest";
import type { PipelineStage } from "../../../../engine/contract/index.ts";
import { shownState, stepState } from "./stages.ts";

test("a stage that was running when its pipeline ended is where that stopped", () => {
  const running = { state: "running" } as const;
  expect(shownState(running, { state: "running" })).toBe("running");
  expect(shownState(running, { state: "cancelled" })).toBe("stopped");
  expect(shownState(running, { state: "interrupted" })).toBe("stopped");
  expect(shownState(running, { state: "failed" })).toBe("failed");
});

test("other stages stand as they are, however their pipeline ended", () => {
  expect(shownState({ state: "done" }, { state: "failed" })).toBe("done");
  expect(shownState({ state: "reused" }, { state: "running" })).toBe("made before");
  expect(shownState({ state: "waiting" }, { state: "cancelled" })).toBe("waiting");
});

test("a step is done when all its stages are, and now from the first on", () => {
  const of = (...states: readonly PipelineStage["state"][]) =>
    stepState(states.map((state) => ({ state })));
  expect(of("waiting", "waiting")).toBe("todo");
  expect(of("running", "waiting")).toBe("now");
  expect(of("done", "waiting")).toBe("now");
  expect(of("done", "reused")).toBe("done");
  expect(of()).toBe("todo");
});
