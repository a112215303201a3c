#!/usr/bin/env node
// Bundles src/cli when its sources changed, silently, and runs it with a Vulkan driver for Dawn.
import { join } from "node:path";
import { run } from "../scripts/spawn.mjs";
import { runtimeFolder, vulkanEnvironment } from "../scripts/vulkan.mjs";
import { bundleCli } from "./bundle.mjs";

/** `npm run studio` changes to the package's folder and keeps the caller's in INIT_CWD. */
function callerFolder() {
  const { npm_lifecycle_event: script, INIT_CWD } = process.env;
  return script === "studio" && INIT_CWD ? INIT_CWD : process.cwd();
}

const startedAt = Date.now();
try {
  const bundle = await bundleCli(join(import.meta.dirname, ".."));
  process.exitCode = await run(process.execPath, [bundle, ...process.argv.slice(2)], {
    cwd: callerFolder(),
    // The channel closes with this process, however it ends: the studio then stops as well.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      ...vulkanEnvironment(),
      ...runtimeFolder(),
      FUSESTUDIO_STARTED_AT: String(startedAt),
    },
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 5;
}
