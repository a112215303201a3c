import { expect, test } from "vitest";
import type { JobCard } from "../../engine/contract/index.ts";
import { createJobsStore } from "./reflections.ts";

const card = (id: string, state: JobCard["state"], createdAt = 1): JobCard => ({
  id,
  kind: "merge",
  title: id,
  state,
  resumable: false,
  createdAt,
  endedAt: state === "running" ? null : createdAt + 1,
  progress: { doneBytes: 0, totalBytes: 1, label: "", bytesPerSecond: null, secondsLeft: null },
  recipe: null,
  failure: null,
  result: null,
});

test("a started job does not overwrite the event that it has ended", () => {
  const store = createJobsStore();
  store.write(card("a", "done"));
  store.begin(card("a", "running"));
  expect(store.find("a")?.state).toBe("done");
});

test("the journal's older copy does not overwrite what events brought meanwhile", () => {
  const store = createJobsStore();
  store.write(card("a", "done"));
  store.fill([card("a", "running"), card("b", "failed")]);
  expect(store.find("a")?.state).toBe("done");
  expect(store.find("b")?.state).toBe("failed");
});

test("a job that goes on after an interruption is running again", () => {
  const store = createJobsStore();
  store.fill([card("a", "interrupted")]);
  store.write(card("a", "running"));
  expect(store.find("a")?.state).toBe("running");
});

test("jobs are listed newest first", () => {
  const store = createJobsStore();
  store.fill([card("old", "done", 1), card("new", "done", 3)]);
  store.write(card("middle", "done", 2));
  expect(store.getState().jobs?.map(({ id }) => id)).toEqual(["new", "middle", "old"]);
});
