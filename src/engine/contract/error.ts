/** Codes of the engine's failures, for programs; the sentence is for people. */
export const ERROR_CODES = [
  "usage",
  "bad-header",
  "bad-offsets",
  "bad-dtype",
  "bad-shape",
  "truncated",
  "changed",
  "missing-file",
  "missing-tensor",
  "lfs-pointer",
  "pickle",
  "bad-config",
  "bad-recipe",
  "unsupported-architecture",
  "mismatch",
  "not-mergeable",
  "nonfinite",
  "no-webgpu",
  "no-adapter",
  "gpu-lost",
  "gpu-memory",
  "quota",
  "permission",
  "busy",
  "cancelled",
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Details of a failure: file, tensor, numbers. Plain data. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** A failure as plain data: what crosses a port, is journalled, and is printed with `--json`. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/**
 * A foreseen failure: its sentence says what happened, where, with which numbers, and what to do.
 */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.details = details;
  }
}

/**
 * Any thrown value as plain data. An unforeseen one gets the code `internal` and keeps its message.
 */
export function toFailure(error: unknown): Failure {
  if (error instanceof EngineError) {
    return { code: error.code, message: error.message, details: { ...error.details } };
  }
  if (error instanceof Error && error.name === "AbortError") {
    return { code: "cancelled", message: "Cancelled.", details: {} };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: "internal", message, details: {} };
}
