import { EngineError } from "../contract/index.ts";
import {
  type AnswerOf,
  type Hand,
  handHere,
  handOf,
  type OpenWork,
  type PieceOf,
  type SharedOf,
  type Task,
  type Tasks,
  ThreadLost,
  type Threads,
} from "./threads.ts";

/** An opened task: its pieces run in parallel, and each answer goes to its caller. */
export interface PooledWork<T extends Task> {
  /** Runs a piece. Rejects with the signal's reason once aborted, without waiting for the piece. */
  run(piece: PieceOf<T>, signal?: AbortSignal): Promise<AnswerOf<T>>;
  /** Frees the pieces' shared data. Unanswered pieces are rejected as `cancelled`. */
  close(): void;
}

/** Distributes work over threads; without threads the calling thread does it, in short turns. */
export interface Pool<T extends Tasks> {
  /** Number of pieces that can run at once. */
  readonly width: number;
  open<K extends keyof T & string>(task: K, shared: SharedOf<T[K]>): PooledWork<T[K]>;
}

interface Piece {
  readonly work: OpenWork;
  readonly data: unknown;
  resolve(answer: unknown): void;
  reject(reason: unknown): void;
}

/** A pool that starts threads when there is work, and ends them with the last open task. */
export function createPool<T extends Tasks>(tasks: T, threads?: Threads): Pool<T> {
  const most = Math.max(1, threads?.count ?? 1);
  const waiting: Piece[] = [];
  const unanswered = new Set<Piece>();
  const open = new Set<number>();
  const idle: Hand[] = [];
  const hands = new Set<Hand>();
  const aborts = watchAborts((piece, reason) => drop(piece, reason));
  let usable = threads; // until they turn out not to start
  let lastId = 0;

  function takeHand(): Hand | undefined {
    const hand = idle.pop() ?? (hands.size < most ? startHand() : undefined);
    if (hand) hands.add(hand);
    return hand;
  }

  function startHand(): Hand | undefined {
    try {
      if (usable) return handOf(usable.start());
    } catch {
      usable = undefined; // such as a page that forbids them
    }
    return hands.size === 0 ? handHere(tasks) : undefined;
  }

  function shareOut(): void {
    while (waiting.length > 0) {
      const hand = takeHand();
      if (!hand) return;
      void keepBusy(hand, waiting.shift() as Piece);
    }
  }

  async function keepBusy(hand: Hand, first: Piece): Promise<void> {
    for (let next: Piece | undefined = first; next; next = waiting.shift()) {
      try {
        next.resolve(await hand.do(next.work, next.data));
      } catch (error) {
        if (error instanceof ThreadLost) return lose(hand, next, error);
        next.reject(error);
      }
    }
    if (hands.has(hand)) idle.push(hand);
  }

  function lose(hand: Hand, piece: Piece, error: ThreadLost): void {
    hand.end();
    hands.delete(hand);
    if (error.worked) {
      piece.reject(new EngineError("internal", error.message, { task: piece.work.task }, error));
    } else {
      usable = undefined;
      if (unanswered.has(piece)) waiting.unshift(piece);
    }
    shareOut();
  }

  function endAll(): void {
    for (const hand of hands) hand.end();
    hands.clear();
    idle.length = 0;
  }

  function drop(piece: Piece, reason: unknown): void {
    const at = waiting.indexOf(piece);
    if (at >= 0) waiting.splice(at, 1);
    piece.reject(reason);
  }

  function run(work: OpenWork, data: unknown, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!open.has(work.id)) return reject(closed(work));
      if (signal?.aborted) return reject(signal.reason);
      const settled = () => {
        unanswered.delete(piece);
        if (signal) aborts.forget(signal, piece);
      };
      const piece: Piece = {
        work,
        data,
        resolve: (answer) => [settled(), resolve(answer)],
        reject: (reason) => [settled(), reject(reason)],
      };
      unanswered.add(piece);
      if (signal) aborts.watch(signal, piece);
      waiting.push(piece);
      shareOut();
    });
  }

  return {
    width: most,
    open(task, shared) {
      const work: OpenWork = { id: ++lastId, task, shared };
      open.add(work.id);
      return {
        run: (piece, signal) => run(work, piece, signal) as never,
        close() {
          open.delete(work.id);
          for (const piece of unanswered) if (piece.work === work) drop(piece, closed(work));
          for (const hand of hands) hand.forget(work);
          if (open.size === 0) endAll();
        },
      };
    },
  };
}

/** One abort listener per signal, however many pieces it may abort. */
function watchAborts(drop: (piece: Piece, reason: unknown) => void) {
  const watched = new Map<AbortSignal, { readonly pieces: Set<Piece>; stop(): void }>();
  return {
    watch(signal: AbortSignal, piece: Piece) {
      const known = watched.get(signal);
      if (known) {
        known.pieces.add(piece);
        return;
      }
      const pieces = new Set([piece]);
      const abort = () => {
        for (const each of pieces) drop(each, signal.reason);
      };
      signal.addEventListener("abort", abort);
      watched.set(signal, { pieces, stop: () => signal.removeEventListener("abort", abort) });
    },
    forget(signal: AbortSignal, piece: Piece) {
      const known = watched.get(signal);
      known?.pieces.delete(piece);
      if (known?.pieces.size !== 0) return;
      known.stop();
      watched.delete(signal);
    },
  };
}

function closed({ task }: OpenWork): EngineError {
  return new EngineError("cancelled", `The work "${task}" was closed.`, { task });
}
