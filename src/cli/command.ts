import { EngineError } from "../engine/contract/index.ts";

/** How a command was called. */
export interface Call {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** A line for people, beside the result. */
  say(line: string): void;
  /** How far long work is, in bytes or in parts of another kind; cheap, call it often. */
  progress(done: number, total: number, label: string, unit?: "parts"): void;
}

/** What a command answers. */
export interface Outcome {
  /** For `--json`: plain data. NaN and infinities in it become null. */
  readonly json: unknown;
  /** For people. */
  readonly text: string;
  /** True where it ran and found failures: exit code 4. */
  readonly failed?: boolean;
}

/** One command of the studio. */
export interface Command {
  /** The names of what must be given, such as `["RECIPE", "OUT"]`. */
  readonly positionals: readonly string[];
  /** One sentence. */
  readonly summary: string;
  /**
   * Each option's value by name, or null for a switch, which reads as "true"; and one sentence. The
   * values of one that may be given many times are lines.
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

/** Characters of a table's column that holds these words under a heading: a loop, as a call takes no 10⁶ arguments. */
export function columnWidth(words: Iterable<string>, heading: string): number {
  let width = heading.length;
  for (const word of words) width = Math.max(width, word.length);
  return width;
}
