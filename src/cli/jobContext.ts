import { createHash } from "node:crypto";
import type { JobContext } from "../engine/core/jobs/kind.ts";
import type { Call } from "./command.ts";

/** What a job is given when a command runs it: nobody watches the library, and one process has it. */
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

/** A key for work that must be done anew where any of this differs; hex. */
export function fingerprintOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
