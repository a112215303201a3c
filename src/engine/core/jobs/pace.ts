import type { JobProgress } from "../../contract/index.ts";
import type { JobStep } from "./kind.ts";

/** Time constant of the smoothed speed: short enough to follow a change, long enough to read. */
const MEMORY_SECONDS = 3;
/** Seconds before the first speed is reported: earlier ones are noise. */
const FIRST_RATE_AFTER_SECONDS = 0.5;

/** Adds a smoothed speed and the remaining time to progress. Times are in milliseconds. */
export function keepPace(startedAt: number): (step: JobStep, now: number) => JobProgress {
  let lastBytes: number | null = null;
  let lastAt = startedAt;
  let rate: number | null = null;
  let first: { readonly parts: number; readonly at: number } | null = null;

  /** Mean speed of parts, which take different times, so that only their average is meaningful. */
  const average = (parts: number, now: number): number | null => {
    first ??= { parts, at: now };
    const seconds = (now - first.at) / 1000;
    return seconds < FIRST_RATE_AFTER_SECONDS ? null : (parts - first.parts) / seconds;
  };

  return ({ doneBytes: countedBytes, totalBytes, unit, label }, now) => {
    // The total is an estimate, so progress is capped at it.
    const doneBytes = totalBytes > 0 ? Math.min(countedBytes, totalBytes) : countedBytes;
    const seconds = (now - lastAt) / 1000;
    if (unit === "parts") rate = average(doneBytes, now);
    else if (lastBytes === null) {
      // Work of an earlier run does not count towards the speed.
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
