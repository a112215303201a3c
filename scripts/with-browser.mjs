// node scripts/with-browser.mjs COMMAND …  runs a command with CHROMIUM and a Vulkan driver for tests.
import { delimiter, join } from "node:path";
import { needBrowser } from "./browser.mjs";
import { run } from "./spawn.mjs";
import { runtimeFolder, vulkanEnvironment } from "./vulkan.mjs";

const root = join(import.meta.dirname, "..");
const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error("usage: node scripts/with-browser.mjs COMMAND [ARGUMENT …]");
  process.exit(2);
}

try {
  const env = {
    ...process.env,
    CHROMIUM: needBrowser(),
    ...vulkanEnvironment({ tests: true }),
    ...runtimeFolder(),
    // Started by hand, outside of npm, the local programs must be found too.
    PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
  };
  process.exitCode = await run(command, args, {
    cwd: root,
    env,
    shell: process.platform === "win32",
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
