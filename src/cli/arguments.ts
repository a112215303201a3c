import { parseArgs } from "node:util";
import { EngineError } from "../engine/contract/index.ts";
import type { Command } from "./command.ts";

/** A parsed command line. */
export interface Arguments {
  /** Name of the command; null where there is none. */
  readonly command: string | null;
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** Parses a command line; `usage` says what is wrong with it. */
export function readArguments(
  words: readonly string[],
  commands: ReadonlyMap<string, Command>,
): Arguments {
  const json = words.includes("--json");
  const version = words.includes("--version") || words.includes("-V");
  const [first, second] = words.filter((word) => !word.startsWith("-"));
  const help = first === "help" || words.includes("--help") || words.includes("-h");
  const name = (first === "help" ? second : first) ?? null;
  const nothing = { positionals: [], options: {}, json, help, version };
  if (name === null || version) return { command: null, ...nothing };

  const command = commands.get(name);
  if (!command) {
    const known = [...commands.keys()].join(", ");
    throw new EngineError("usage", `There is no command "${name}". There are: ${known}.`, { name });
  }
  if (help) return { command: name, ...nothing };
  const rest = words.toSpliced(words.indexOf(name), 1);
  const { values, positionals } = parse(name, command, rest);
  if (positionals.length !== command.positionals.length) {
    throw new EngineError(
      "usage",
      `"studio ${name}" takes ${command.positionals.join(" ") || "no arguments"}; ${positionals.length} given.`,
      { name, wanted: command.positionals.length, given: positionals.length },
    );
  }
  return { command: name, positionals, options: values, json, help, version };
}

function parse(name: string, command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([option, { value, many = false }]) => [
      option,
      { type: value === null ? ("boolean" as const) : ("string" as const), multiple: many },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: { ...options, json: { type: "boolean" } },
      allowPositionals: true,
    });
    const { json: _, ...given } = values;
    const texts = Object.entries(given).map(([option, value]) => [
      option,
      Array.isArray(value) ? value.join("\n") : String(value),
    ]);
    return { values: Object.fromEntries(texts) as Record<string, string>, positionals };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new EngineError("usage", `studio ${name}: ${message}`, { name }, error);
  }
}

/** An option as it is typed. */
function written(option: string, value: string | null): string {
  return value === null ? `--${option}` : `--${option} ${value}`;
}

function usageLine(name: string, { positionals, options }: Command): string {
  const optional = Object.entries(options).map(
    ([option, { value }]) => `[${written(option, value)}]`,
  );
  return ["studio", name, ...positionals, ...optional, "[--json]"].join(" ");
}

/** Help of one command, or of all. */
export function formatHelp(commands: ReadonlyMap<string, Command>, name: string | null): string {
  const command = name === null ? undefined : commands.get(name);
  if (name !== null && command) {
    const options = Object.entries(command.options).map(
      ([option, { value, help }]) => `  ${written(option, value)}`.padEnd(24) + help,
    );
    return [
      usageLine(name, command),
      "",
      command.summary,
      ...(options.length > 0 ? ["", ...options] : []),
    ].join("\n");
  }
  return [
    "FuseStudio in a terminal: the studio's engine on this machine's GPU.",
    "",
    ...[...commands].map(([each, known]) => `  ${usageLine(each, known)}\n      ${known.summary}`),
    "",
    "MODEL is a checkpoint folder or one .safetensors file. --json prints one document to standard output.",
    "OUT is a new or an empty folder, or one in which the same command was interrupted; it lies in no MODEL.",
    '"studio help COMMAND" tells its options, "studio --version" the version.',
    "Exit codes: 0 done, 1 input or output refused, 2 wrong usage, 3 no adapter, 4 failed, 5 internal, 130 interrupted.",
  ].join("\n");
}
