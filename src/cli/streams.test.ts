import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { expect, test } from "vitest";

/** The exit code of the terminal where its streams go to these. */
async function exitCode(words: readonly string[], stdout: number, stderr: number) {
  const stdio: StdioOptions = ["ignore", stdout, stderr];
  const [code] = await once(
    spawn(process.execPath, ["bin/studio.mjs", ...words], { stdio }),
    "exit",
  );
  return code;
}

// A device of Linux that is full; other systems have none.
test.runIf(existsSync("/dev/full"))(
  "a full disk fails what is asked for, not what is said",
  async () => {
    const [full, none] = [await open("/dev/full", "w"), await open("/dev/null", "w")];
    try {
      expect(await exitCode(["--version"], full.fd, none.fd)).toBe(4);
      expect(await exitCode(["--version"], none.fd, full.fd)).toBe(0);
      // Notes are said on standard error before the answer is there.
      const inspect = ["inspect", "public/samples/ember-tales/model.safetensors", "--json"];
      expect(await exitCode(inspect, none.fd, full.fd)).toBe(0);
    } finally {
      await Promise.all([full.close(), none.close()]);
    }
  },
  60_000,
);
