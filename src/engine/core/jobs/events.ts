import type { CallOptions, EngineEvent } from "../../contract/index.ts";
import type { JobRunner } from "./runner.ts";

/** What happens in one tab is told in all: libraries and runs are shown as they are. */
export function shareEvents(runner: JobRunner, channel: BroadcastChannel): void {
  let told: EngineEvent | null = null;
  runner.watch((event) => {
    if (event !== told) channel.postMessage(event);
  });
  channel.onmessage = ({ data }: MessageEvent<EngineEvent>) => {
    told = data; // Not to be sent back.
    runner.tell(data);
    told = null;
  };
}

/** Tells a runner's events until the call is given up. */
export function watchEvents(
  runner: JobRunner,
  { signal, onEvent }: CallOptions<EngineEvent>,
): Promise<void> {
  const stop = runner.watch((event) => onEvent?.(event));
  return new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  }).finally(stop);
}
