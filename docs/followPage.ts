import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
/** What a copy needs to be checked, tested and built. Tracked and untracked files alike. */
const COPIED = [
  ".gitignore",
  "bin",
  "goldens",
  "public",
  "scripts",
  "shaders",
  "src",
  "index.html",
  "package.json",
  "package-lock.json",
  "biome.json",
  "tsconfig.base.json",
  "tsconfig.engine.json",
  "tsconfig.node.json",
  "tsconfig.ui.json",
  "vite.config.ts",
];

/** A file that a page tells its reader to write, or a stretch to put into one that is there. */
export interface PageBlock {
  readonly path: string;
  readonly text: string;
  /** The line of an existing file after which the stretch goes, or null for a new file. */
  readonly after: string | null;
}

/**
 * The code blocks of a page in docs/ whose first line names a file: ` ```ts src/a.ts ` is a new file,
 * ` ```ts src/b.ts after="export const X = [" ` a stretch that goes behind that line of `src/b.ts`.
 */
export function readBlocks(page: string): readonly PageBlock[] {
  const text = readFileSync(join(ROOT, "docs", page), "utf8");
  return [...text.matchAll(/^```\w+ (\S+\/\S+|\S+\.\w+)(?: after="([^\n]*)")?\n(.*?)^```$/gms)].map(
    ([, path, after, body]) => ({
      path: path as string,
      text: body as string,
      after: after ?? null,
    }),
  );
}

/** A copy of the project in which a page is followed; its packages are the project's own. */
export class ScratchCopy {
  readonly folder: string;

  constructor() {
    mkdirSync(join(ROOT, ".cache"), { recursive: true });
    this.folder = mkdtempSync(join(ROOT, ".cache", "page-"));
    for (const name of COPIED) {
      cpSync(join(ROOT, name), join(this.folder, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"), "dir");
  }

  /** Does what the page says; throws where it speaks of a line that is not there. */
  follow(page: string): readonly PageBlock[] {
    const blocks = readBlocks(page);
    for (const block of blocks) this.put(block);
    return blocks;
  }

  /** Writes one block of a page. */
  put({ path, text, after }: PageBlock): void {
    const file = join(this.folder, path);
    if (after === null) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { flag: "wx" });
      return;
    }
    const lines = readFileSync(file, "utf8").split("\n");
    const at = lines.findIndex((line) => line.trim() === after.trim());
    if (at < 0) throw new Error(`${path} has no line \`${after}\`.`);
    lines.splice(at + 1, 0, text.trimEnd());
    writeFileSync(file, lines.join("\n"));
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** Runs a program of the packages, such as `typescript/bin/tsc`; its output where it fails. */
  run(program: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(this.folder, "node_modules", program), ...args],
      { cwd: this.folder, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", VITEST: "" } },
    );
    return status === 0 ? "" : `${program} ended with ${status}:\n${stdout}\n${stderr}`;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
