import {
  type CallOptions,
  EngineError,
  type EngineEvent,
  type Failure,
  toFailure,
} from "../engine/contract/index.ts";

/** A service is a flat object of async methods: one argument, one result, both structured-cloneable. */
export type Service<S> = {
  [K in keyof S]: S[K] extends (
    ...given: infer Given extends readonly unknown[]
  ) => Promise<unknown>
    ? Given["length"] extends 0 | 1 | 2
      ? S[K]
      : never
    : never;
};

/** Interface of a port: a `MessagePort`, a `Worker` and the Worker's scope have it. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  /** Error of a Worker whose script failed to load or threw. */
  onerror?: unknown;
  onmessageerror?: unknown;
}

/** First message of the page to the Worker. */
export interface Hello {
  /**
   * Base address of the page: inside a bundled Worker a relative one would mean the asset folder.
   */
  readonly baseUrl: string;
}

type ToService =
  | { readonly hello: Hello }
  | { readonly call: number; readonly method: string; readonly argument: unknown }
  | { readonly cancel: number };
type FromService = { readonly call: number } & (
  | { readonly result: unknown }
  | { readonly event: EngineEvent }
  | { readonly failure: Failure }
);
type Method = (argument: unknown, options: CallOptions<EngineEvent>) => Promise<unknown>;

/**
 * Serves calls that arrive at `port`. Listens at once, so that no call is lost, and starts the
 * service with the page's hello; calls wait for it, and get its failure if it fails to start.
 */
export function serve<S extends Service<S>>(start: (hello: Hello) => Promise<S>, port: Port): void {
  const running = new Map<number, AbortController>();
  let greet: (hello: Hello) => void = () => undefined;
  const service = new Promise<Hello>((resolve) => {
    greet = resolve;
  }).then(start);
  service.catch(() => undefined); // Every call reports it.

  async function answer(call: number, method: string, argument: unknown): Promise<FromService> {
    const controller = new AbortController();
    running.set(call, controller);
    try {
      const methods = (await service) as Readonly<Record<string, Method>>;
      if (!Object.hasOwn(methods, method)) {
        throw new EngineError("internal", `The engine has no "${method}".`, { method });
      }
      const onEvent = (event: EngineEvent) => {
        if (running.has(call)) post(port, { call, event });
      };
      const { signal } = controller;
      return { call, result: await methods[method]?.(argument, { signal, onEvent }) };
    } catch (error) {
      return { call, failure: toFailure(error) };
    } finally {
      running.delete(call);
    }
  }

  port.onmessage = async ({ data }: MessageEvent<ToService>) => {
    if ("hello" in data) return greet(data.hello);
    if ("cancel" in data) return running.get(data.cancel)?.abort();
    const { call, method, argument } = data;
    const reply = await answer(call, method, argument);
    try {
      post(port, reply);
    } catch (error) {
      // A result that cannot be cloned is our bug; without a reply the caller would wait forever.
      post(port, { call, failure: toFailure(error) });
    }
  };
}

function post(port: Port, message: ToService | FromService): void {
  port.postMessage(message);
}

interface Caller {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly onEvent: CallOptions<EngineEvent>["onEvent"];
}

/** Proxy of the service behind `port`, with the same types. */
export function connect<S extends Service<S>>(port: Port, hello: Hello): S {
  const waiting = new Map<number, Caller>();
  let dead: EngineError | null = null;
  let last = 0;

  const die = (reason: string) => {
    dead = new EngineError(
      "internal",
      `The studio's engine stopped (${reason}). Reload the page: what was stored is kept, and jobs resume.`,
      { reason },
    );
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  };

  port.onmessage = ({ data }: MessageEvent<FromService>) => {
    const caller = waiting.get(data.call);
    if (!caller) return;
    if ("event" in data) return caller.onEvent?.(data.event);
    waiting.delete(data.call);
    if ("result" in data) return caller.resolve(data.result);
    const { code, message, details } = data.failure;
    caller.reject(new EngineError(code, message, details));
  };
  if ("onerror" in port) {
    port.onerror = (event: { readonly message?: string }) =>
      die(event.message || "its script did not load");
  }
  port.onmessageerror = () => die("a message could not be read");
  post(port, { hello });

  async function call(
    method: string,
    argument: unknown,
    { signal, onEvent }: CallOptions<EngineEvent>,
  ): Promise<unknown> {
    if (dead) throw dead;
    signal?.throwIfAborted();
    const number = ++last;
    const cancel = () => post(port, { cancel: number });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        waiting.set(number, { resolve, reject, onEvent });
        post(port, { call: number, method, argument });
      });
    } finally {
      waiting.delete(number);
      signal?.removeEventListener("abort", cancel);
    }
  }

  return new Proxy({} as S, {
    // `then` is excluded: `await connect(…)` would otherwise call it.
    get: (_, method) =>
      method === "then" || typeof method === "symbol"
        ? undefined
        : (argument: unknown, options: CallOptions<EngineEvent> = {}) =>
            call(method, argument, options),
  });
}
