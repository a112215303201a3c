import { createHash } from "node:crypto";
import type { JobContext } from "../engine/core/jobs/kind.ts";
import type { Call } from "./command.ts";

/** Context of a job that a command runs: without watchers, in one process. */
export function jobContext<State>(
  { signal, progress }: Pick<Call, "signal" | "progress">,
  own: Pick<JobContext<State>, "id" | "state" | "save">,
): JobContext<State> {
  return {
    ...own,
    signal,
    modelsChanged: () => undefined,
    progress: ({ doneBytes, totalBytes, label, unit }) =>
      progress(doneBytes, totalBytes, label, unit),
  };
}

/** Hash of everything that a result depends on; hex. */
export function fingerprintOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
