import type { Engine } from "../engine/contract/index.ts";
import { connect, type Hello, type Port } from "./bridge.ts";

/** `persist` exists in pages only, and this file is also compiled where there is no page. */
interface PageStorage {
  persist?(): Promise<boolean>;
  persisted?(): Promise<boolean>;
}

/**
 * The engine behind a Worker, as the page uses it. One thing is done on this side: browsers let only
 * a page ask for lasting storage; what came of it, the engine tells.
 */
export function connectEngine(
  worker: Port,
  hello: Hello,
  storage: PageStorage | undefined = navigator.storage,
): Engine {
  const engine = connect<Engine>(worker, hello);
  return new Proxy(engine, {
    get(target, method) {
      if (method !== "persist") return Reflect.get(target, method);
      return async () => {
        await storage?.persist?.();
        return target.persist();
      };
    },
  });
}
