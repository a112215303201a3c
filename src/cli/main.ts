import { EngineError, escapeUnseen, type Failure, toFailure } from "../engine/contract/index.ts";
import { STUDIO } from "../engine/merge/run/version.ts";
import { fileFailure } from "../node/files.ts";
import { formatHelp, readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { distill } from "./distill.ts";
import { extract } from "./extract.ts";
import { fuse } from "./fuse.ts";
import { fusechat } from "./fusechat.ts";
import { generate } from "./generate.ts";
import { inspect } from "./inspect.ts";
import { logits } from "./logits.ts";
import { merge } from "./merge.ts";
import { mergeAdapters } from "./mergeAdapters.ts";
import { moe } from "./moe.ts";
import { EXIT, exitCodeOf, formatJson, forTerminal, INTERRUPTED } from "./outcome.ts";
import { perplexity } from "./perplexity.ts";
import { createProgress } from "./progress.ts";
import { transplant } from "./transplant.ts";
import { verify } from "./verify.ts";
import { weights } from "./weights.ts";

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    merge,
    "merge-adapters": mergeAdapters,
    moe,
    weights,
    verify,
    inspect,
    logits,
    generate,
    perplexity,
    fuse,
    distill,
    transplant,
    extract,
    fusechat,
  }),
);

/**
 * Resolves when the text is written: `process.exit` would drop what a pipe has not taken. A reader
 * that has gone, as with `| head`, is no failure; a full disk is.
 */
function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException;
      if (!error || code === "EPIPE" || stream === process.stderr) resolve();
      else reject(fileFailure(error, "standard output"));
    });
  });
}

/**
 * Milliseconds within which two signals are one Ctrl+C: the terminal and bin/studio.mjs both send
 * it.
 */
const SAME_MS = 200;

function listenForInterrupts(): AbortSignal {
  const controller = new AbortController();
  let first = Number.POSITIVE_INFINITY;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (performance.now() > first + SAME_MS) process.exit(INTERRUPTED); // asked twice: at once
      first = Math.min(first, performance.now());
      controller.abort();
    });
  }
  // The parent, bin/studio.mjs, was killed, now or before this line: nobody waits for the result.
  process.on("disconnect", () => controller.abort());
  if (process.connected === false) controller.abort();
  return controller.signal;
}

async function runCommand(words: readonly string[], json: boolean): Promise<number> {
  const { command: name, help, version, positionals, options } = readArguments(words, COMMANDS);
  if (version) {
    await print(process.stdout, json ? formatJson(STUDIO) : `${STUDIO.name} ${STUDIO.version}\n`);
    return EXIT.done;
  }
  if (help) {
    await print(process.stdout, `${formatHelp(COMMANDS, name)}\n`);
    return EXIT.done;
  }
  const command = name === null ? undefined : COMMANDS.get(name);
  if (!command) throw new EngineError("usage", `Name a command.\n\n${formatHelp(COMMANDS, null)}`);
  const progress = createProgress(process.stderr);
  try {
    const outcome = await command.run({
      positionals,
      options,
      signal: listenForInterrupts(),
      say(line) {
        progress.end();
        process.stderr.write(`${escapeUnseen(line)}\n`);
      },
      progress: progress.update,
    });
    progress.end();
    if (json) await print(process.stdout, formatJson(outcome.json));
    await print(json ? process.stderr : process.stdout, `${forTerminal(outcome.text)}\n`);
    return outcome.failed ? EXIT.failed : EXIT.done;
  } finally {
    progress.end();
  }
}

async function report(failure: Failure, error: unknown, json: boolean): Promise<number> {
  if (json) await print(process.stdout, formatJson({ error: failure })).catch(() => undefined);
  await print(process.stderr, `${failure.code}: ${forTerminal(failure.message)}\n`);
  if (failure.code === "internal" && error instanceof Error && error.stack) {
    await print(process.stderr, `${forTerminal(error.stack)}\n`);
  }
  return exitCodeOf(failure);
}

// `print` tells of these; without a listener, a line of progress that nobody reads would end the work.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
const words = process.argv.slice(2);
const json = words.includes("--json");
const code = await runCommand(words, json).catch((error: unknown) =>
  report(toFailure(error), error, json),
);
// Dawn's threads would keep the process alive.
process.exit(code);
