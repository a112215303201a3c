import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const ROOT = process.cwd();
const COPIED = ["src", "shaders", "package.json", "vite.config.ts"];
const CONFIGS = ["tsconfig.base.json", "tsconfig.engine.json"];

let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "fusestudio-method-"));
  for (const path of [...COPIED, ...CONFIGS]) {
    await cp(join(ROOT, path), join(copy, path), { recursive: true });
  }
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** The page's code blocks by the path in their first line. */
async function readBlocks(): Promise<ReadonlyMap<string, string>> {
  const page = await readFile(join(ROOT, "docs", "adding-a-method.md"), "utf8");
  const blocks = page.matchAll(/```\w+\n\/\/ (\S+)\n([\s\S]*?)```/g);
  return new Map([...blocks].map(([, path, text]) => [path as string, text as string]));
}

test("who follows docs/adding-a-method.md has a method that passes the whole suite", async () => {
  const blocks = await readBlocks();
  expect([...blocks.keys()]).toEqual([
    "shaders/merge/nearswap.wgsl",
    "src/engine/merge/methods/nearswap.ts",
  ]);
  for (const [path, text] of blocks) await writeFile(join(copy, path), text);

  const bin = (name: string) => join(ROOT, "node_modules", ".bin", name);
  await run(bin("tsc"), ["-p", "tsconfig.engine.json"], { cwd: copy });
  const report = join(copy, "report.json");
  const suite = ["src/engine/merge/methods.gpu.test.ts", "-t", "nearswap"];
  await run(
    bin("vitest"),
    ["run", "--project", "gpu", ...suite, "--reporter", "json", "--outputFile", report],
    { cwd: copy },
  );
  const { numPassedTests, numFailedTests } = JSON.parse(await readFile(report, "utf8"));
  expect(numFailedTests).toBe(0);
  // Three dtypes, tiles, equal models, order and card.
  expect(numPassedTests).toBe(7);
}, 120_000);
