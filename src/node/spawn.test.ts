import { spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const SCRIPT = pathToFileURL("scripts/spawn.mjs").href;

/** A program that hears signals, run as bin/studio.mjs runs the terminal. */
function start(program: string) {
  const runner = `
    import { run } from ${JSON.stringify(SCRIPT)};
    process.exitCode = await run(process.execPath, ["-e", ${JSON.stringify(program)}]);`;
  return spawn(process.execPath, ["--input-type=module", "-e", runner], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("a program whose only thread is busy is ended by the second Ctrl+C", async () => {
  const busy = start(
    `process.on("SIGINT", () => {}); process.stdout.write("busy", () => { for (;;); });`,
  );
  const ended = once(busy, "exit");
  await once(busy.stdout, "data");
  busy.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(busy.exitCode).toBeNull();
  busy.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
}, 20_000);

test("a program that ends by itself keeps its exit code", async () => {
  const program = start(
    `process.on("SIGINT", () => process.exit(7)); setInterval(() => {}, 50); process.stdout.write("up");`,
  );
  const ended = once(program, "exit");
  await once(program.stdout, "data");
  program.kill("SIGINT");
  expect(await ended).toEqual([7, null]);
}, 20_000);
