import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export const METHODS = ["linear", "task_arithmetic", "slerp", "varm"] as const;

/** One merge of two or three folders, asked of a contender. */
export interface MergeRequest {
  readonly method: (typeof METHODS)[number];
  readonly base: string;
  readonly models: readonly string[];
  readonly out: string;
  readonly dtype: string;
}

/** What a contender says: how long it took and its process's largest resident memory so far. */
export type Answer =
  | { readonly seconds: number; readonly rss: number; readonly gpuPool?: number }
  | Failed;

/** Why there is no number. */
export type Failed = { readonly missing: string } | { readonly error: string };

/** A process that answers requests. */
export interface Contender<Request, Reply> {
  /** Its version; null where it could not start. */
  readonly version: string | null;
  ask(request: Request): Promise<Reply | Failed>;
  stop(): Promise<void>;
}

/** Starts a process that answers each line of JSON with one of its own, after a first hello. */
export async function startContender<Request, Reply>(
  command: string,
  args: readonly string[],
): Promise<Contender<Request, Reply>> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  child.stdin.on("error", () => undefined); // the child has gone: its answer says so
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T | { readonly error: string }> => {
    const line = await lines.next();
    return line.done ? { error: "the process ended" } : (JSON.parse(line.value) as T);
  };
  const hello = await next<{ readonly version: string }>();
  return {
    version: "version" in hello ? hello.version : null,
    async ask(request) {
      if ("error" in hello) return { missing: "NOT RUN" };
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return next<Reply>();
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
