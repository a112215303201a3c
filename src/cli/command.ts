import { EngineError } from "../engine/contract/index.ts";

/** Call of a command. */
export interface Call {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Prints a line for people, beside the result. */
  say(line: string): void;
  /** Reports progress, in bytes or in parts of another unit; cheap enough to call often. */
  progress(done: number, total: number, label: string, unit?: "parts"): void;
}

/** Outcome of a command. */
export interface Outcome {
  /** Result for `--json`: plain data, with NaN and infinities as null. */
  readonly json: unknown;
  /** Result for people. */
  readonly text: string;
  /** Whether failures were found: exit code 4. */
  readonly failed?: boolean;
}

/** A command of the studio. */
export interface Command {
  /** Names of its arguments, such as `["RECIPE", "OUT"]`. */
  readonly positionals: readonly string[];
  /** One sentence. */
  readonly summary: string;
  /**
   * Options: the value's name, or null for a switch, which reads as "true"; and one sentence.
   * Values of a repeatable option are joined as lines.
   */
  readonly options: Readonly<
    Record<string, { readonly value: string | null; readonly help: string; readonly many?: true }>
  >;
  run(call: Call): Promise<Outcome>;
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** `5GB`, `512 MiB` or a number of bytes; `usage` for anything else and for nothing. */
export function parseByteSize(text: string, option: string): number {
  const [, number = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN));
  if (number !== "" && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new EngineError(
    "usage",
    `--${option} is "${text}"; it must be a size such as 5GB, 512MiB or 1000000.`,
    { option, value: text },
  );
}

/** `1.2 GB`, for people. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const digits = power === 0 ? 0 : 1;
  return `${(bytes / 1000 ** power).toFixed(digits)} ${units[power]}`;
}

/** Width of a table's column in characters; a loop, since a call cannot take 10⁶ arguments. */
export function columnWidth(words: Iterable<string>, heading: string): number {
  let width = heading.length;
  for (const word of words) width = Math.max(width, word.length);
  return width;
}
