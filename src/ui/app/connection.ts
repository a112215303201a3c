import { connectEngine } from "../../bridge/connectEngine.ts";
import type { Engine } from "../../engine/contract/index.ts";

/** Opens the engine in its Worker. When the Worker dies every call fails, `watch` included. */
export function openEngine(): Engine {
  const { baseURI } = document;
  const worker = new Worker(new URL("../../worker.ts", import.meta.url), { type: "module" });
  return connectEngine(worker, { baseUrl: new URL(".", baseURI).href });
}
