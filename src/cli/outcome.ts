import { type ErrorCode, escapeUnseen, type Failure } from "../engine/contract/index.ts";

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

/** Exit code of a failure: failures that are not about running are about the input. */
export function exitCodeOf({ code }: Failure): number {
  return BY_CODE[code] ?? EXIT.refused;
}

/** JSON on one line; NaN and infinities are null, invisible characters are escaped. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, (_, item) =>
    typeof item === "number" && !Number.isFinite(item) ? null : item,
  );
  return `${escapeUnseen(text)}\n`;
}

/** Text for people, with its lines and tabs; control characters in foreign names are escaped. */
export const forTerminal = (text: string): string => escapeUnseen(text, "\n\t");
