import { formatBytes } from "./command.ts";

/** What a progress line is written to: standard error. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Progress for people: one line that is rewritten in a terminal, a line every ten seconds elsewhere.
 * Silent during the first second.
 */
export function createProgress(stream: ProgressStream, now: () => number = Date.now) {
  const begun = now();
  let startBytes: number | null = null;
  let shownAt = begun;
  let open = false;
  return {
    update(doneBytes: number, totalBytes: number, label: string): void {
      // What a resumed run found done already says nothing about speed.
      startBytes ??= doneBytes;
      const at = now();
      if (at - begun < 1000 || at - shownAt < (stream.isTTY ? 200 : 10_000)) return;
      shownAt = at;
      const speed = (doneBytes - startBytes) / ((at - begun) / 1000);
      const left = speed > 0 ? Math.ceil((totalBytes - doneBytes) / speed) : null;
      const percent = totalBytes > 0 ? Math.floor((100 * doneBytes) / totalBytes) : 100;
      const line = [
        `${percent} %`,
        `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
        `${formatBytes(speed)}/s`,
        ...(left === null ? [] : [`${left} s left`]),
        label,
      ].join("  ");
      open = stream.isTTY === true;
      const width = (stream.columns ?? 100) - 1;
      stream.write(open ? `\r\x1b[K${line.slice(0, width)}` : `${line}\n`);
    },
    /** Clears the line, so that what is printed next stands alone. */
    end(): void {
      if (open) stream.write("\r\x1b[K");
      open = false;
    },
  };
}
