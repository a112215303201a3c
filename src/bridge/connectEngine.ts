import type { Engine } from "../engine/contract/index.ts";
import { connect, type Hello, type Port } from "./bridge.ts";

/** `persist` exists in pages only, and this file is also compiled where there is no page. */
interface PageStorage {
  persist?(): Promise<boolean>;
  persisted?(): Promise<boolean>;
}

/**
 * Proxy of the engine in a Worker. Only persistence is requested here, since browsers let only a
 * page ask for it; the engine reports the outcome.
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
