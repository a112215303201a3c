// npm run check: types, layers, lint and format, dead code, and every shader through Tint.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeFolder } from "./vulkan.mjs";

const root = join(import.meta.dirname, "..");
const CHECKS = [
  ["types: engine", "typescript/bin/tsc", ["-p", "tsconfig.engine.json"]],
  ["types: ui", "typescript/bin/tsc", ["-p", "tsconfig.ui.json"]],
  ["types: node", "typescript/bin/tsc", ["-p", "tsconfig.node.json"]],
  ["lint and format", "@biomejs/biome/bin/biome", ["check", "--error-on-warnings"]],
  ["contract's surface", "../scripts/surface.mjs", ["--check"]],
  ["dead code", "knip/bin/knip.js", ["--no-progress"]],
  [
    "layers and shaders",
    "vitest/vitest.mjs",
    ["run", "--project", "unit", "src/architecture.test.ts", "src/node/shaders.test.ts"],
  ],
];

const colour = process.stdout.isTTY ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" };

/** Resolves to what the check printed and whether it passed; never rejects. */
function check([title, program, args]) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, "node_modules", program), ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...runtime, ...colour },
    });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (d) => output.push(d));
    const end = (passed) => {
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      console.log(`${passed ? "ok    " : "FAILED"} ${title} (${seconds} s)`);
      if (!passed) console.log(Buffer.concat(output).toString().trimEnd());
      resolve(passed);
    };
    child.on("error", () => end(false));
    child.on("close", (code) => end(code === 0));
  });
}

const runtime = runtimeFolder();
const passed = await Promise.all(CHECKS.map(check));
const failures = passed.filter((one) => !one).length;
const report = { passed: passed.length - failures, failed: failures, skipped: 0 };
console.log(`${report.passed} passed, ${report.failed} failed`);
if (process.env.FUSESTUDIO_REPORT) {
  writeFileSync(process.env.FUSESTUDIO_REPORT, JSON.stringify(report));
}
process.exitCode = failures === 0 ? 0 : 1;
