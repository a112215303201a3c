import type { JobProgress } from "../../contract/index.ts";
import type { JobStep } from "./kind.ts";

/** How long the past counts: short enough to follow a change, long enough that the number can be read. */
const MEMORY_SECONDS = 3;
/** A rate from less than this is noise. */
const FIRST_RATE_AFTER_SECONDS = 0.5;

/** Turns steps into progress with a smoothed speed and the time left. Times are in milliseconds. */
export function keepPace(startedAt: number): (step: JobStep, now: number) => JobProgress {
  let lastBytes: number | null = null;
  let lastAt = startedAt;
  let rate: number | null = null;
  let first: { readonly parts: number; readonly at: number } | null = null;

  /** Parts differ in what they take: only all of them together have a speed. */
  const average = (parts: number, now: number): number | null => {
    first ??= { parts, at: now };
    const seconds = (now - first.at) / 1000;
    return seconds < FIRST_RATE_AFTER_SECONDS ? null : (parts - first.parts) / seconds;
  };

  return ({ doneBytes: countedBytes, totalBytes, unit, label }, now) => {
    // A total is an estimate; what is beyond it is not told.
    const doneBytes = totalBytes > 0 ? Math.min(countedBytes, totalBytes) : countedBytes;
    const seconds = (now - lastAt) / 1000;
    if (unit === "parts") rate = average(doneBytes, now);
    else if (lastBytes === null) {
      // What an earlier run had done is no sign of this one's speed.
      lastBytes = doneBytes;
      lastAt = now;
    } else if (seconds >= (rate === null ? FIRST_RATE_AFTER_SECONDS : 0.05)) {
      const current = Math.max(0, doneBytes - lastBytes) / seconds;
      const weight = 1 - Math.exp(-seconds / MEMORY_SECONDS);
      rate = rate === null ? current : rate + weight * (current - rate);
      lastBytes = doneBytes;
      lastAt = now;
    }
    const known = rate !== null && rate > 0;
    return {
      doneBytes,
      totalBytes,
      label,
      ...(unit && { unit }),
      bytesPerSecond: rate,
      secondsLeft: known ? Math.max(0, totalBytes - doneBytes) / (rate as number) : null,
    };
  };
}
