import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Thread, Threads } from "../engine/core/threads.ts";

/** Largest number of threads: each has vocabularies and tables of its own. */
const MOST_THREADS = 8;

/**
 * Node's threads, which run thread.js beside the running script, put there by bin/bundle.mjs.
 * Undefined where it is missing, as in tests: then the calling thread does all work.
 */
export function nodeThreads(
  script = join(dirname(process.argv[1] ?? ""), "thread.js"),
): Threads | undefined {
  if (!existsSync(script)) return undefined;
  const count = Math.min(availableParallelism(), MOST_THREADS);
  return { count, start: () => threadOf(new Worker(script)) };
}

function threadOf(worker: Worker): Thread {
  return {
    post: (message) => worker.postMessage(message),
    listen: (onMessage) => void worker.on("message", onMessage),
    onFailure(tell) {
      worker.on("error", tell);
      worker.on("exit", (code) => tell(new Error(`it ended with code ${code}`)));
    },
    end: () => void worker.terminate(),
  };
}
