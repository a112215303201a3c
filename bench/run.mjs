// npm run bench -- NAME [--sizes 100MB,1GB] [--dtypes f32,bf16] [--quick]
// Bundles bench/NAME.ts and runs it with the best adapter at hand. The peers' Python is
// $FUSESTUDIO_PYTHON, for mergekit $FUSESTUDIO_MERGEKIT_PYTHON.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../bin/bundle.mjs";
import { run } from "../scripts/spawn.mjs";
import { runtimeFolder, vulkanEnvironment } from "../scripts/vulkan.mjs";

const NAMES = ["merge"];
const root = join(import.meta.dirname, "..");
const [name = "", ...args] = process.argv.slice(2);
if (!NAMES.includes(name)) {
  console.error(
    `usage: npm run bench -- ${NAMES.join("|")} [--sizes 100MB,1GB] [--dtypes f32,bf16] [--quick]`,
  );
  process.exit(2);
}
try {
  const main = await bundle(root, `bench/${name}.ts`, ["bench"]);
  process.exitCode = await run(process.execPath, [main, ...args], {
    cwd: root,
    env: {
      ...process.env,
      ...vulkanEnvironment(),
      ...runtimeFolder(),
      FUSESTUDIO_BENCH: import.meta.dirname,
    },
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
