import {
  EngineError,
  type EngineEvent,
  type JobCard,
  type JobId,
  type JobRequest,
} from "../../contract/index.ts";
import { makeId } from "../id.ts";
import { attemptJob } from "./attempt.ts";
import type { JobRow, Journal } from "./journal.ts";
import type { AnyJobKind } from "./kind.ts";
import type { Locks } from "./locks.ts";

/** Starts, watches, cancels and resumes jobs, and journals their states. */
export interface JobRunner {
  start(request: JobRequest): Promise<JobCard>;
  /** Cards, newest first. A job whose tab is gone is `interrupted`. */
  list(): Promise<readonly JobCard[]>;
  /** Resolves when a cancelled job has stopped. */
  cancel(id: JobId): Promise<void>;
  resume(id: JobId): Promise<void>;
  /** Stops the job where it runs, and deletes what only it needs. */
  delete(id: JobId): Promise<void>;
  /** Calls the listener on every change; the result unsubscribes it. */
  watch(listener: (event: EngineEvent) => void): () => void;
  /** Sends watchers an event that is not a job's. */
  tell(event: EngineEvent): void;
}

export interface RunnerParts {
  readonly kinds: readonly AnyJobKind[];
  readonly journal: Journal;
  readonly locks: Locks;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const NO_PROGRESS = { doneBytes: 0, label: "", bytesPerSecond: null, secondsLeft: null } as const;

interface RunningJob {
  readonly abort: AbortController;
  card: JobCard;
  readonly ended: Promise<void>;
}

const lockOf = (id: JobId) => `fusestudio job ${id}`;

/** A runner over a journal. Runners in several tabs may share a journal and its locks. */
export function createRunner({ kinds, journal, locks, now = Date.now }: RunnerParts): JobRunner {
  const running = new Map<JobId, RunningJob>();
  /** Requests started in this tab, with the files that the journal cannot store. */
  const requests = new Map<JobId, JobRequest>();
  const queues = new Map<AnyJobKind["resource"], Promise<unknown>>();
  const listeners = new Set<(event: EngineEvent) => void>();

  const tell = (event: EngineEvent) => {
    for (const listener of listeners) listener(event);
  };
  const kindOf = (name: JobRequest["kind"]): AnyJobKind => {
    const kind = kinds.find((each) => each.kind === name);
    if (!kind)
      throw new EngineError("usage", `This studio runs no "${name}" jobs.`, { kind: name });
    return kind;
  };

  /** Row with its present state: running elsewhere, or interrupted where its tab is gone. */
  async function settle(row: JobRow): Promise<JobRow> {
    const { id } = row.card;
    const live = running.get(id);
    if (live) return { ...row, card: live.card };
    const giveBack = row.card.state === "running" ? await locks.take(lockOf(id)) : null;
    if (!giveBack) return { ...row, card: withResumable(row) };
    try {
      // Read again under the lock: its tab may have ended the job just before.
      const latest = (await journal.row(id)) ?? row;
      if (latest.card.state !== "running") return { ...latest, card: withResumable(latest) };
      const card: JobCard = { ...withResumable(latest), state: "interrupted", endedAt: now() };
      await journal.put({ ...latest, card });
      return { ...latest, card };
    } finally {
      giveBack();
    }
  }

  function withResumable({ card, request }: JobRow): JobCard {
    const known = request !== null || requests.has(card.id);
    return { ...card, resumable: known && card.state !== "done" };
  }

  async function find(id: JobId): Promise<JobRow> {
    const row = await journal.row(id);
    if (!row)
      throw new EngineError("usage", "There is no such job; it may be deleted.", { job: id });
    return settle(row);
  }

  /** Queue of each resource; a job that is cancelled while waiting leaves it. */
  function queue(resource: AnyJobKind["resource"], signal: AbortSignal) {
    return <T>(work: () => Promise<T>): Promise<T> => {
      const before = queues.get(resource) ?? Promise.resolve();
      const turn = Promise.race([before, whenAborted(signal)]).then(() => {
        signal.throwIfAborted();
        return work();
      });
      const both = Promise.allSettled([before, turn]).then(() => undefined);
      queues.set(resource, both);
      return turn;
    };
  }

  /** Takes the lock, journals the job and runs it in the background. */
  async function launch(kind: AnyJobKind, request: JobRequest, row: JobRow): Promise<JobCard> {
    const { id } = row.card;
    const giveBack = running.has(id) ? null : await locks.take(lockOf(id));
    if (!giveBack) {
      throw new EngineError(
        "busy",
        `"${row.card.title}" is running already, here or in another tab.`,
        {
          job: id,
        },
      );
    }
    try {
      await journal.put(row);
    } catch (error) {
      giveBack();
      throw error;
    }
    let resolve = () => {};
    const ended = new Promise<void>((end) => {
      resolve = end;
    });
    const job: RunningJob = { abort: new AbortController(), card: row.card, ended };
    running.set(id, job);
    tell({ type: "job", job: job.card });
    attemptJob({
      kind,
      request,
      row,
      journal,
      now,
      signal: job.abort.signal,
      takeTurn: queue(kind.resource, job.abort.signal),
      onCard(card) {
        job.card = card;
        tell({ type: "job", job: card });
      },
      onModelsChanged: () => tell({ type: "models" }),
    }).then((card) => {
      running.delete(id);
      giveBack();
      if (card.state === "done") requests.delete(id);
      tell({ type: "job", job: withResumable({ ...row, card }) });
      tell({ type: "models" });
      resolve();
    });
    return job.card;
  }

  const runner: JobRunner = {
    async start(request) {
      const kind = kindOf(request.kind);
      const { title, recipe, durable, totalBytes } = await kind.prepare(request as never);
      const id = makeId();
      requests.set(id, request);
      const card: JobCard = {
        id,
        kind: kind.kind,
        title,
        recipe,
        state: "running",
        resumable: true,
        createdAt: now(),
        endedAt: null,
        failure: null,
        result: null,
        progress: { ...NO_PROGRESS, totalBytes },
      };
      return launch(kind, request, { card, request: durable ? request : null, state: null });
    },
    async list() {
      const settled = await Promise.all((await journal.rows()).map(settle));
      return settled.map(({ card }) => card).sort((a, b) => b.createdAt - a.createdAt);
    },
    async cancel(id) {
      const job = running.get(id);
      if (job) {
        job.abort.abort(new EngineError("cancelled", "Cancelled."));
        return job.ended;
      }
      const row = await find(id);
      if (row.card.state === "running") throw elsewhere(row.card);
      if (row.card.state !== "interrupted") return;
      const card: JobCard = { ...row.card, state: "cancelled" };
      await journal.put({ ...row, card });
      tell({ type: "job", job: card });
    },
    async resume(id) {
      const { card, request: kept, state } = await find(id);
      if (card.state === "running") throw elsewhere(card);
      const request = requests.get(id) ?? kept;
      if (card.state === "done") throw new EngineError("usage", `"${card.title}" is done already.`);
      if (!request) {
        throw new EngineError(
          "usage",
          `"${card.title}" needs its files again: drop the same folder once more, and it goes on where it stopped.`,
          { job: id },
        );
      }
      const again: JobCard = { ...card, state: "running", endedAt: null, failure: null };
      await launch(kindOf(card.kind), request, { card: again, request: kept, state });
    },
    async delete(id) {
      if (running.has(id)) await runner.cancel(id);
      const { card, state } = await find(id);
      if (card.state === "running") throw elsewhere(card);
      await kindOf(card.kind).clean?.(id, state as never);
      await journal.delete(id);
      requests.delete(id);
      tell({ type: "models" }); // an unfinished result went with it
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell,
  };
  return runner;
}

function elsewhere({ id, title }: JobCard): EngineError {
  return new EngineError("busy", `"${title}" is running in another tab; do this there.`, {
    job: id,
  });
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
