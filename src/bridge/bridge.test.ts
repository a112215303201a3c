import { afterEach, expect, expectTypeOf, test } from "vitest";
import { type CallOptions, EngineError, type EngineEvent } from "../engine/contract/index.ts";
import { connect, type Hello, type Port, serve } from "./bridge.ts";

interface Toy {
  double(n: number): Promise<number>;
  slow(ms: number, options?: CallOptions<EngineEvent>): Promise<"done">;
  open(name: string): Promise<{ tensors: number }>;
  base(): Promise<string>;
  uncloneable(): Promise<() => void>;
}

const MODELS: EngineEvent = { type: "models" };
const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function toyAt({ baseUrl }: Hello): Toy {
  return {
    double: async (n) => n * 2,
    slow: (ms, { signal, onEvent } = {}) =>
      new Promise((resolve, reject) => {
        onEvent?.(MODELS);
        const timer = setTimeout(() => resolve("done"), ms);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(new EngineError("cancelled", "Cancelled."));
        });
      }),
    open: async (name) => {
      throw new EngineError("bad-offsets", `${name} has a hole at byte 96`, { name, byte: 96 });
    },
    base: async () => baseUrl,
    uncloneable: async () => () => undefined,
  };
}

function pair(start: (hello: Hello) => Promise<Toy> = async (hello) => toyAt(hello)): Toy {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  serve<Toy>(start, port1);
  return connect<Toy>(port2, { baseUrl: "http://localhost/x/" });
}

test("a result comes back with its type", async () => {
  const toy = pair();
  expectTypeOf(toy.double).returns.resolves.toEqualTypeOf<number>();
  expect(await toy.double(21)).toBe(42);
});

test("an engine error keeps its code and details", async () => {
  await expect(pair().open("a.safetensors")).rejects.toMatchObject({
    name: "EngineError",
    code: "bad-offsets",
    details: { byte: 96 },
    message: "a.safetensors has a hole at byte 96",
  });
});

test("events and cancel cross the boundary, and the abort listener is removed", async () => {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  const toy = pair();
  expect(await toy.slow(1, { signal })).toBe("done");
  expect(listeners).toBe(0);

  const seen: EngineEvent[] = [];
  const running = toy.slow(60_000, {
    signal,
    onEvent(event) {
      seen.push(event);
      controller.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  expect(seen).toEqual([MODELS]);
  expect(listeners).toBe(0);
});

test("a call whose signal is aborted already never reaches the service", async () => {
  const signal = AbortSignal.abort(new EngineError("cancelled", "Cancelled."));
  await expect(pair().slow(60_000, { signal })).rejects.toMatchObject({ code: "cancelled" });
});

test("calls do not answer each other", async () => {
  const toy = pair();
  expect(await Promise.all([toy.double(1), toy.double(2), toy.double(3)])).toEqual([2, 4, 6]);
});

test("calls made before the service stands are answered, and it learns the page's address", async () => {
  const toy = pair(async (hello) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return toyAt(hello);
  });
  expect(await toy.base()).toBe("http://localhost/x/");
});

test("a service that does not start answers every call with its failure", async () => {
  const toy = pair(() => Promise.reject(new EngineError("permission", "Storage is blocked.")));
  await expect(toy.double(1)).rejects.toMatchObject({ code: "permission" });
  await expect(toy.double(2)).rejects.toMatchObject({ code: "permission" });
});

test("a result that cannot be cloned is a failure, not silence", async () => {
  await expect(pair().uncloneable()).rejects.toMatchObject({ code: "internal" });
});

test("a Worker that dies fails the calls that wait and those that come later", async () => {
  const worker = { postMessage: () => undefined, onmessage: null, onerror: null };
  const toy = connect<Toy>(worker satisfies Port, { baseUrl: "http://localhost/" });
  const waiting = toy.double(1);
  const died = worker as unknown as { onerror(event: { message: string }): void };
  died.onerror({ message: "out of memory" });
  await expect(waiting).rejects.toMatchObject({ code: "internal" });
  await expect(toy.double(2)).rejects.toThrow(/out of memory.*Reload/);
});

test("a stand-in is not taken for a promise", async () => {
  const toy = pair();
  expect(await (await Promise.resolve(toy)).double(2)).toBe(4);
});
