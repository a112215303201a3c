import type { ErrorCode, Failure } from "../engine/contract/index.ts";

/** Exit codes, as documented in `studio --help`. */
export const EXIT = {
  done: 0,
  refused: 1,
  usage: 2,
  noAdapter: 3,
  failed: 4,
  internal: 5,
} as const;
export const INTERRUPTED = 130;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  "no-webgpu": EXIT.noAdapter,
  "no-adapter": EXIT.noAdapter,
  nonfinite: EXIT.failed,
  "gpu-lost": EXIT.failed,
  "gpu-memory": EXIT.failed,
  quota: EXIT.failed,
  internal: EXIT.internal,
  cancelled: INTERRUPTED,
};

/** The exit code of a failure: all that is not about running is about the input. */
export function exitCodeOf({ code }: Failure): number {
  return BY_CODE[code] ?? EXIT.refused;
}

/** One JSON document on one line; NaN and infinities are null. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, (_, item) =>
    typeof item === "number" && !Number.isFinite(item) ? null : item,
  )}\n`;
}
