import type { EngineError } from "../contract/index.ts";
import {
  type AnswerOf,
  type Hand,
  handHere,
  handOf,
  type OpenWork,
  type PieceOf,
  type SharedOf,
  type Tasks,
  ThreadLost,
  type Threads,
} from "./threads.ts";

/** Time limit of a call, and the error of one that exceeds it. */
export interface Allowance {
  readonly milliseconds: number;
  /** `why` completes "the template …": "took longer than 10 seconds and was stopped". */
  fail(why: string): EngineError;
}

/**
 * Runs code from foreign files, one call at a time, in a thread of its own. A call that exceeds its
 * limit ends only that thread; the next call starts another.
 */
export interface Watchdog<T extends Tasks> {
  /** `shared` is sent to the thread once per object: pass the same one for related calls. */
  run<K extends keyof T & string>(
    task: K,
    shared: SharedOf<T[K]> & object,
    piece: PieceOf<T[K]>,
    allowance: Allowance,
  ): Promise<AnswerOf<T[K]>>;
  /** Ends the thread; the next call starts another. */
  close(): void;
}

/** Milliseconds after which an idle thread is ended. */
const IDLE_MS = 30_000;
/** Time limit of a thread's start, which takes some 50 ms, and longer on a busy machine. */
const START_MS = 60_000;

/** A watchdog; where no thread starts, the calling thread does the work itself. */
export function createWatchdog<T extends Tasks>(tasks: T, threads?: Threads): Watchdog<T> {
  const works = new WeakMap<object, Map<string, OpenWork>>();
  let usable = threads;
  let hand: Hand | undefined;
  let lastId = 0;
  let last: Promise<unknown> = Promise.resolve();
  let idle: ReturnType<typeof setTimeout> | undefined;

  function end(): void {
    clearTimeout(idle);
    hand?.end();
    hand = undefined;
  }

  async function start(): Promise<Hand> {
    if (!usable) return handHere(tasks);
    try {
      const started = handOf(usable.start());
      hand = started; // so that it is ended if it never answers
      await within(START_MS, started.ready());
      return started;
    } catch {
      end();
      usable = undefined; // such as a page that forbids threads
      return handHere(tasks);
    }
  }

  async function attempt(
    work: OpenWork,
    piece: unknown,
    { milliseconds, fail }: Allowance,
  ): Promise<unknown> {
    clearTimeout(idle);
    hand ??= await start();
    try {
      return await within(milliseconds, hand.do(work, piece));
    } catch (error) {
      if (error === LATE) {
        end();
        throw fail(`took longer than ${Math.round(milliseconds / 1000)} seconds and was stopped`);
      }
      if (error instanceof ThreadLost) {
        end();
        throw fail(`ended the thread that it ran in (${error.message.slice(0, 200)})`);
      }
      throw error;
    } finally {
      if (hand && usable) idle = setTimeout(end, IDLE_MS);
    }
  }

  function workOf(task: string, shared: object): OpenWork {
    const known = works.get(shared) ?? new Map<string, OpenWork>();
    works.set(shared, known);
    const work = known.get(task) ?? { id: ++lastId, task, shared };
    known.set(task, work);
    return work;
  }

  return {
    run(task, shared, piece, allowance) {
      const turn = last.then(() => attempt(workOf(task, shared), piece, allowance));
      last = turn.catch(() => undefined);
      return turn as never;
    },
    close: end,
  };
}

const LATE = Symbol("late");

/** Result of the work, or a rejection with LATE. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(LATE), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
