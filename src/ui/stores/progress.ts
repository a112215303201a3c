import type { JobCard, JobProgress } from "../../engine/contract/index.ts";
import { formatBytesOf, formatDuration, formatPercent, formatSpeed } from "../theme/format.ts";

/** Amount, speed and remaining time: `34 of 56 MB · 412 MB/s · 2 s left`. */
export function progressNumbers(progress: JobProgress): string {
  const { doneBytes, totalBytes, unit, bytesPerSecond, secondsLeft } = progress;
  const parts = unit === "parts";
  const done = parts ? formatPercent(doneBytes / totalBytes) : formatBytesOf(doneBytes, totalBytes);
  return [
    totalBytes > 0 ? done : "starting",
    parts || bytesPerSecond === null ? "" : formatSpeed(bytesPerSecond),
    secondsLeft === null ? "" : `${formatDuration(secondsLeft)} left`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Fraction from 0 to 1; null while the total is unknown. */
export function progressFraction({ doneBytes, totalBytes }: JobProgress): number | null {
  return totalBytes > 0 ? doneBytes / totalBytes : null;
}

/** Duration of a job in seconds, so far where it runs. */
export function jobSeconds({ createdAt, endedAt }: JobCard, now: number): number {
  return Math.max(0, ((endedAt ?? now) - createdAt) / 1000);
}
