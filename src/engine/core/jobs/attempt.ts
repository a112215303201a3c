import {
  EngineError,
  type Failure,
  type JobCard,
  type JobRequest,
  type JobResult,
  toFailure,
} from "../../contract/index.ts";
import type { JobRow, Journal } from "./journal.ts";
import type { AnyJobKind, JobContext } from "./kind.ts";
import { keepPace } from "./pace.ts";

/** Smallest interval between progress events. */
const TELL_EVERY_MS = 100;
/** Smallest interval between progress writes to the journal, for other tabs and after a crash. */
const JOURNAL_EVERY_MS = 2000;

export interface Attempt {
  readonly kind: AnyJobKind;
  readonly request: JobRequest;
  readonly row: JobRow;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Waits for the resource and holds it during the work. */
  takeTurn<T>(work: () => Promise<T>): Promise<T>;
  onCard(card: JobCard): void;
  onModelsChanged(): void;
}

/** Runs a job once and journals the outcome. Never rejects: a failure is on the card. */
export async function attemptJob(attempt: Attempt): Promise<JobCard> {
  const { kind, request, journal, signal, now, onCard } = attempt;
  let row = attempt.row;
  let toldAt = 0;
  let journalledAt = now();
  let over = false;
  const pace = keepPace(now());

  const write = (change: Partial<JobRow>) => {
    row = { ...row, ...change };
    journalledAt = now();
    return journal.put(row);
  };
  const context: JobContext<unknown> = {
    id: row.card.id,
    state: row.state,
    signal,
    save: (state) => write({ state }),
    progress(step) {
      if (over) return;
      const at = now();
      row = { ...row, card: { ...row.card, progress: pace(step, at) } };
      if (at - toldAt < TELL_EVERY_MS) return;
      toldAt = at;
      onCard(row.card);
      // Progress that cannot be journalled does not fail the job; its own writes will report a full
      // disk.
      if (at - journalledAt >= JOURNAL_EVERY_MS) write({}).catch(() => undefined);
    },
    modelsChanged: () => attempt.onModelsChanged(),
  };

  const ending = await attempt
    .takeTurn(() => kind.run(request as never, context as JobContext<never>))
    .then(done, (error: unknown) => failed(error, signal));
  over = true;
  const card = { ...row.card, ...ending, endedAt: now() };
  const progress = card.state === "done" ? completed(card.progress) : stopped(card.progress);
  await write({ card: { ...card, progress } }).catch(() => undefined);
  return row.card;
}

type Ending = Pick<JobCard, "state" | "failure" | "result">;

function done(result: JobResult): Ending {
  return { state: "done", failure: null, result };
}

function failed(error: unknown, signal: AbortSignal): Ending {
  const failure = toFailure(error);
  const onPurpose = error instanceof EngineError || signal.aborted;
  if (failure.code === "cancelled" && onPurpose) {
    return { state: "cancelled", failure: null, result: null };
  }
  // A lost device may be back later: the job itself has not failed.
  const state = failure.code === "gpu-lost" ? "interrupted" : "failed";
  return { state, failure: foreseen(failure), result: null };
}

/** An AbortError that no cancellation caused, such as a database's, is not `cancelled`. */
function foreseen(failure: Failure): Failure {
  if (failure.code !== "cancelled") return failure;
  const message = "The browser stopped the work by itself. Resume it to go on where it stopped.";
  return { ...failure, code: "internal", message };
}

function completed(progress: JobCard["progress"]): JobCard["progress"] {
  const all = Math.max(progress.doneBytes, progress.totalBytes);
  return { ...progress, doneBytes: all, totalBytes: all, secondsLeft: 0 };
}

function stopped(progress: JobCard["progress"]): JobCard["progress"] {
  return { ...progress, bytesPerSecond: null, secondsLeft: null };
}
