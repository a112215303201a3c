import { expect, test } from "vitest";
import {
  EngineError,
  type EngineEvent,
  type JobCard,
  type JobResult,
} from "../../contract/index.ts";
import type { JobRow, Journal } from "./journal.ts";
import type { AnyJobKind, JobContext, JobKind } from "./kind.ts";
import { type Locks, locksInMemory } from "./locks.ts";
import { createRunner, type JobRunner } from "./runner.ts";

const NOTHING: JobResult = { models: [], downloads: [], notes: [] };
const SAMPLES = { kind: "samples" } as const;

type Work = (context: JobContext<number>) => Promise<JobResult>;

function memoryJournal(): Journal & { readonly kept: Map<string, JobRow> } {
  const kept = new Map<string, JobRow>();
  return {
    kept,
    rows: async () => [...kept.values()],
    row: async (id) => kept.get(id),
    put: async (row) => void kept.set(row.card.id, structuredClone(row)),
    delete: async (id) => void kept.delete(id),
  };
}
function kind(work: Work, parts: Partial<JobKind<"samples", number>> = {}, durable = true) {
  return {
    kind: "samples",
    resource: "import",
    run: (_, context) => work(context),
    prepare: async () => ({ title: "Load samples", recipe: null, durable, totalBytes: 100 }),
    ...parts,
  } satisfies JobKind<"samples", number>;
}
const saveAndStay =
  (state: number): Work =>
  async (context) => {
    await context.save(state);
    return forever(context);
  };
/** Runs until told to stop. */
const forever: Work = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

interface Tab {
  readonly runner: JobRunner;
  readonly events: readonly EngineEvent[];
}
function tab(
  kinds: readonly AnyJobKind[],
  journal: Journal = memoryJournal(),
  locks: Locks = locksInMemory(),
): Tab {
  const runner = createRunner({ kinds, journal, locks });
  const events: EngineEvent[] = [];
  runner.watch((event) => events.push(event));
  return { runner, events };
}
async function ended({ runner }: Tab, id: string): Promise<JobCard> {
  for (;;) {
    const card = (await runner.list()).find((each) => each.id === id);
    if (card && card.state !== "running") return card;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("a job is journalled before its start is answered, and ends as done with its result", async () => {
  const journal = memoryJournal();
  const result = { ...NOTHING, models: ["m"] };
  const here = tab([kind(async () => result)], journal);
  const { id, state } = await here.runner.start(SAMPLES);
  expect(state).toBe("running");
  expect(journal.kept.has(id)).toBe(true);
  const card = await ended(here, id);
  expect(card).toMatchObject({ state: "done", result, failure: null, resumable: false });
  expect(card.progress).toMatchObject({ doneBytes: 100, totalBytes: 100 });
  expect(here.events.at(-1)).toEqual({ type: "models" });
});

test("what a kind refuses is not journalled", async () => {
  const journal = memoryJournal();
  const refusing = kind(forever, {
    prepare: () => Promise.reject(new EngineError("usage", "Nothing to do.")),
  });
  await expect(tab([refusing], journal).runner.start(SAMPLES)).rejects.toMatchObject({
    code: "usage",
  });
  expect(journal.kept.size).toBe(0);
});

test("a failure keeps its code and details on the card and in the journal", async () => {
  const journal = memoryJournal();
  const here = tab(
    [kind(() => Promise.reject(new EngineError("quota", "No room.", { bytesNeeded: 7 })))],
    journal,
  );
  const card = await ended(here, (await here.runner.start(SAMPLES)).id);
  expect(card).toMatchObject({ state: "failed", resumable: true });
  expect(card.failure).toEqual({ code: "quota", message: "No room.", details: { bytesNeeded: 7 } });
  expect(journal.kept.get(card.id)?.card.failure).toEqual(card.failure);
});

test("a cancelled job has stopped when cancel resolves, and resumes from its saved state", async () => {
  const seen: (number | null)[] = [];
  const here = tab([
    kind(async (context) => {
      seen.push(context.state);
      if (context.state !== null) return NOTHING;
      await context.save(42);
      return forever(context);
    }),
  ]);
  const { id } = await here.runner.start(SAMPLES);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await here.runner.cancel(id);
  const [card] = await here.runner.list();
  expect(card).toMatchObject({ state: "cancelled", resumable: true, failure: null });
  await here.runner.resume(id);
  expect(await ended(here, id)).toMatchObject({ state: "done" });
  expect(seen).toEqual([null, 42]);
});

test("a stream that aborts by itself is a failure, not a cancellation", async () => {
  const here = tab([kind(() => Promise.reject(new DOMException("gone", "AbortError")))]);
  const card = await ended(here, (await here.runner.start(SAMPLES)).id);
  expect(card).toMatchObject({ state: "failed", failure: { code: "internal" } });
});

test("a device that is lost for good interrupts the job and says why", async () => {
  const here = tab([kind(() => Promise.reject(new EngineError("gpu-lost", "Lost.")))]);
  const card = await ended(here, (await here.runner.start(SAMPLES)).id);
  expect(card).toMatchObject({ state: "interrupted", failure: { code: "gpu-lost" } });
});

test("a job whose tab died is interrupted in the next tab and resumes there", async () => {
  const journal = memoryJournal();
  const dead = tab([kind(saveAndStay(7))], journal);
  const { id } = await dead.runner.start(SAMPLES);
  await new Promise((resolve) => setTimeout(resolve, 5));
  // Its locks die with it: the next tab has a manager in which nothing is taken.
  const states: (number | null)[] = [];
  const next = tab(
    [
      kind(async ({ state }) => {
        states.push(state);
        return NOTHING;
      }),
    ],
    journal,
  );
  const [card] = await next.runner.list();
  expect(card).toMatchObject({ id, state: "interrupted", resumable: true });
  await next.runner.resume(id);
  expect(await ended(next, id)).toMatchObject({ state: "done" });
  expect(states).toEqual([7]);
});

test("a job whose request died with its tab says that it needs its files again", async () => {
  const journal = memoryJournal();
  const dead = tab([kind(forever, {}, false)], journal);
  const { id } = await dead.runner.start(SAMPLES);
  expect(journal.kept.get(id)?.request).toBeNull();
  const next = tab([kind(forever, {}, false)], journal);
  expect(await next.runner.list()).toMatchObject([{ state: "interrupted", resumable: false }]);
  await expect(next.runner.resume(id)).rejects.toThrow(/drop the same folder/);
});

test("two tabs do not run the same job: the second is told that it is busy", async () => {
  const [journal, locks] = [memoryJournal(), locksInMemory()];
  const one = tab([kind(forever)], journal, locks);
  const two = tab([kind(forever)], journal, locks);
  const { id } = await one.runner.start(SAMPLES);
  expect(await two.runner.list()).toMatchObject([{ id, state: "running" }]);
  for (const order of ["resume", "cancel", "delete"] as const) {
    await expect(two.runner[order](id)).rejects.toMatchObject({ code: "busy" });
  }
  await one.runner.cancel(id);
  await two.runner.resume(id);
  await expect(one.runner.resume(id)).rejects.toMatchObject({ code: "busy" });
  await two.runner.cancel(id);
});

test("a job that another tab ends while this one looks is not called interrupted", async () => {
  const journal = memoryJournal();
  const other = tab([kind(async () => NOTHING)], journal);
  const { id } = await other.runner.start(SAMPLES);
  const stale = journal.kept.get(id) as JobRow;
  await ended(other, id);
  const late = tab([kind(forever)], { ...journal, rows: async () => [stale] });
  expect(await late.runner.list()).toMatchObject([{ state: "done" }]);
  expect(journal.kept.get(id)?.card.state).toBe("done");
});

test("deleting a running job stops it, cleans up after it and forgets it", async () => {
  const journal = memoryJournal();
  const cleaned: unknown[] = [];
  const clean = async (id: string, state: number | null) => void cleaned.push([id, state]);
  const here = tab([kind(saveAndStay(3), { clean })], journal);
  const { id } = await here.runner.start(SAMPLES);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await here.runner.delete(id);
  expect(cleaned).toEqual([[id, 3]]);
  expect(journal.kept.size).toBe(0);
});

test("jobs of one resource wait for each other; a waiting one can be cancelled", async () => {
  const started: string[] = [];
  const here = tab([
    kind((context) => {
      started.push(context.id);
      return forever(context);
    }),
  ]);
  const [a, b, c] = [
    await here.runner.start(SAMPLES),
    await here.runner.start(SAMPLES),
    await here.runner.start(SAMPLES),
  ];
  await here.runner.cancel(b.id);
  await here.runner.cancel(a.id);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(started).toEqual([a.id, c.id]);
  await here.runner.cancel(c.id);
});

test("watchers hear of progress at most every 100 ms, however often it is told", async () => {
  const here = tab([
    kind(async ({ progress }) => {
      for (let i = 0; i < 1000; i++) progress({ doneBytes: i, totalBytes: 1000, label: "x" });
      return NOTHING;
    }),
  ]);
  await ended(here, (await here.runner.start(SAMPLES)).id);
  const progress = here.events.filter((e) => e.type === "job" && e.job.state === "running");
  expect(progress.length).toBeLessThanOrEqual(3); // the start, the first step, one slow moment
});

test("a kind that nobody runs is refused by name", async () => {
  await expect(tab([]).runner.start(SAMPLES)).rejects.toThrow(/"samples"/);
});
