import { serve } from "./bridge/bridge.ts";
import type { Engine } from "./engine/contract/index.ts";
import type { Thread, Threads } from "./engine/core/threads.ts";
import { createEngine } from "./engine/create.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Largest number of threads: each has vocabularies and tables of its own. */
const MOST_THREADS = 8;

const threads: Threads = {
  count: Math.min(self.navigator.hardwareConcurrency, MOST_THREADS),
  start: () => threadOf(new Worker(new URL("./thread.ts", import.meta.url), { type: "module" })),
};

serve<Engine>(({ baseUrl }) => {
  const { gpu, locks, storage } = self.navigator;
  const channel = new BroadcastChannel("fusestudio");
  return createEngine({ gpu, locks, storage, baseUrl, channel, threads });
}, self);

function threadOf(worker: Worker): Thread {
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage) {
      worker.onmessage = ({ data }: MessageEvent) => onMessage(data);
    },
    onFailure(tell) {
      worker.onerror = ({ message }) => tell(new Error(message || "it did not start"));
    },
    end: () => worker.terminate(),
  };
}
