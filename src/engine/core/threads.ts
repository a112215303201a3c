import { EngineError, type Failure, toFailure } from "../contract/index.ts";
import { createBreather } from "./breather.ts";

/** One end of a message channel between two threads; messages are structured-cloneable. */
export interface Line {
  post(message: unknown): void;
  /** Sets the listener, once, before anything is posted. */
  listen(onMessage: (message: unknown) => void): void;
}

/** A thread as seen by its starter: a Worker in a browser, or one of Node's. */
export interface Thread extends Line {
  /** Calls back when the thread does not start, or dies. */
  onFailure(tell: (error: unknown) => void): void;
  end(): void;
}

/** Means of starting threads, given to the engine. */
export interface Threads {
  /** Largest number of threads at once. */
  readonly count: number;
  start(): Thread;
}

/**
 * A kind of work: prepared once with its shared data, then run piece by piece. Shared data, pieces
 * and answers are plain data, and no answer depends on earlier pieces.
 */
export type Task = (shared: never) => Awaitable<Work>;
export type Tasks = Readonly<Record<string, Task>>;
type Work = (piece: never) => unknown;
type Awaitable<T> = T | Promise<T>;

export type SharedOf<T extends Task> = Parameters<T>[0];
export type PieceOf<T extends Task> = Parameters<Awaited<ReturnType<T>>>[0];
export type AnswerOf<T extends Task> = Awaited<ReturnType<Awaited<ReturnType<T>>>>;

/** A task with its shared data, the same for every worker on it. */
export interface OpenWork {
  readonly id: number;
  readonly task: string;
  readonly shared: unknown;
}

/** A worker that runs pieces one at a time. */
export interface Hand {
  /** Resolves once it can work. */
  ready(): Promise<unknown>;
  do(work: OpenWork, piece: unknown): Promise<unknown>;
  forget(work: OpenWork): void;
  end(): void;
}

/** Error of a thread that gave no answer. */
export class ThreadLost extends Error {
  override readonly name = "ThreadLost";
  /** Whether the thread had answered before; otherwise it may never have started. */
  readonly worked: boolean;

  constructor(worked: boolean, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`A thread of the studio stopped: ${why}`, { cause });
    this.worked = worked;
  }
}

type ToThread =
  | { readonly ask: "ready" }
  | { readonly open: OpenWork }
  | { readonly forget: number }
  | { readonly work: number; readonly piece: unknown };
type FromThread = { readonly answer: unknown } | { readonly failure: Failure };

/** A worker in a thread: pieces are posted to it, their shared data before the first. */
export function handOf(thread: Thread): Hand {
  const known = new Set<number>();
  let worked = false;
  let lost: ThreadLost | undefined;
  let settle = { resolve: (_: unknown) => {}, reject: (_: unknown) => {} };
  thread.listen((message) => {
    const said = message as FromThread;
    worked = true;
    if ("answer" in said) settle.resolve(said.answer);
    else {
      const { code, message: sentence, details } = said.failure;
      settle.reject(new EngineError(code, sentence, details));
    }
  });
  thread.onFailure((error) => {
    lost ??= new ThreadLost(worked, error);
    settle.reject(lost);
  });
  const ask = (...messages: readonly ToThread[]) =>
    new Promise<unknown>((resolve, reject) => {
      if (lost) return reject(lost);
      settle = { resolve, reject };
      for (const message of messages) thread.post(message);
    });
  return {
    ready: () => ask({ ask: "ready" }),
    do(work, piece) {
      const opening: readonly ToThread[] = known.has(work.id) ? [] : [{ open: work }];
      known.add(work.id);
      return ask(...opening, { work: work.id, piece });
    },
    forget(work) {
      if (known.delete(work.id)) thread.post({ forget: work.id } satisfies ToThread);
    },
    end: () => thread.end(),
  };
}

/** A worker on the calling thread, for where there are no others. */
export function handHere(tasks: Tasks): Hand {
  const prepared = new Map<number, Promise<Work>>();
  const breathe = createBreather();
  return {
    ready: async () => undefined,
    async do(work, piece) {
      await breathe();
      let ready = prepared.get(work.id);
      if (!ready) {
        ready = prepare(tasks, work);
        prepared.set(work.id, ready);
      }
      return (await ready)(piece as never);
    },
    forget: (work) => void prepared.delete(work.id),
    end: () => prepared.clear(),
  };
}

/** Main loop of a thread: runs the posted pieces in order. */
export function serveTasks(tasks: Tasks, line: Line): void {
  const works = new Map<number, OpenWork>();
  const hand = handHere(tasks);
  line.listen(async (message) => {
    const said = message as ToThread;
    if ("ask" in said) line.post(await answer(hand.ready));
    else if ("open" in said) works.set(said.open.id, said.open);
    else if ("forget" in said) {
      const work = works.get(said.forget);
      works.delete(said.forget);
      if (work) hand.forget(work);
    } else line.post(await answer(() => hand.do(works.get(said.work) as OpenWork, said.piece)));
  });
}

async function answer(work: () => Promise<unknown>): Promise<FromThread> {
  try {
    return { answer: await work() };
  } catch (error) {
    return { failure: toFailure(error) };
  }
}

async function prepare(tasks: Tasks, { task, shared }: OpenWork): Promise<Work> {
  const found = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
  if (!found) throw new EngineError("internal", `There is no task "${task}".`, { task });
  return found(shared as never);
}
