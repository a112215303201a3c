import { escapeUnseen } from "../engine/contract/index.ts";
import { formatBytes } from "./command.ts";

/** Stream of the progress line: standard error. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Progress for people: one rewritten line in a terminal, a line every ten seconds elsewhere. Silent
 * during the first second.
 */
export function createProgress(stream: ProgressStream, now: () => number = Date.now) {
  const begun = now();
  /** Start of the speed's measurement: amount, time and unit. */
  let from: { readonly done: number; readonly at: number; readonly unit?: "parts" } | null = null;
  let shownAt = begun;
  let open = false;
  return {
    update(counted: number, total: number, label: string, unit?: "parts"): void {
      const at = now();
      // The total is an estimate, so progress is capped at it.
      const done = Math.min(counted, total);
      // The speed starts anew with each unit, and without what an earlier run had done.
      if (from?.unit !== unit || !from) from = { done, at, ...(unit && { unit }) };
      if (at - begun < 1000 || at - shownAt < (stream.isTTY ? 200 : 10_000)) return;
      shownAt = at;
      const speed = at > from.at ? (done - from.done) / ((at - from.at) / 1000) : 0;
      const left = speed > 0 ? Math.ceil((total - done) / speed) : null;
      const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
      const line = [
        `${percent} %`,
        ...(unit === "parts"
          ? []
          : [`${formatBytes(done)} of ${formatBytes(total)}`, `${formatBytes(speed)}/s`]),
        ...(left === null ? [] : [`${left} s left`]),
        escapeUnseen(label),
      ].join("  ");
      open = stream.isTTY === true;
      const width = (stream.columns ?? 100) - 1;
      stream.write(open ? `\r\x1b[K${line.slice(0, width)}` : `${line}\n`);
    },
    /** Clears the line before other output. */
    end(): void {
      if (open) stream.write("\r\x1b[K");
      open = false;
    },
  };
}
