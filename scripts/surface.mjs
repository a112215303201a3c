// The contract's public surface as one text, so that a change of it is read as such: `npm run surface`
// writes docs/contract.txt, `--check` (in `npm run check`) compares.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const FILE = join(root, "docs", "contract.txt");
/** Tables of settings: docs/settings.md has their names, ranges and defaults. */
const TABLES = ["extractionSettings.d.ts", "fusionSettings.d.ts", "trainingSettings.d.ts"];

/** Every exported declaration of `src/engine/contract`, without comments, file by file. */
function readSurface() {
  const folder = mkdtempSync(join(tmpdir(), "fusestudio-surface-"));
  try {
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = [
      "--declaration",
      "--emitDeclarationOnly",
      "--removeComments",
      "--noEmit",
      "false",
    ];
    const project = ["-p", join(root, "tsconfig.contract.json"), "--outDir", folder];
    const { status, stdout } = spawnSync(process.execPath, [compiler, ...project, ...options], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stdout);
    const files = readdirSync(folder).filter(
      (name) => name.endsWith(".d.ts") && name !== "index.d.ts" && !TABLES.includes(name),
    );
    return files
      .toSorted()
      .map((name) => {
        const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
        const declared = lines.filter((line) => !/^(import|export \{\})/.test(line));
        return `── ${name.replace(".d.ts", "")}\n${declared.join("\n")}\n`;
      })
      .join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const surface = readSurface();
if (!process.argv.includes("--check")) writeFileSync(FILE, surface);
else if (readFileSync(FILE, "utf8") !== surface) {
  console.log(
    "What the engine offers is no longer what docs/contract.txt says. If that is meant, run " +
      "`npm run surface` and read the difference: stored jobs, other tabs and the terminal rely on it.",
  );
  process.exitCode = 1;
}
