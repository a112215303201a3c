// One bundle per state of the sources, named by their hash: two callers at once never see half of one.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";

const SOURCES = ["src/node", "src/engine", "shaders"];
const SINGLE = ["package.json", "package-lock.json", "bin/bundle.mjs"];
const DAY_MS = 24 * 60 * 60 * 1000;

async function hashSources(root, folders) {
  const files = [];
  for (const folder of folders) {
    if (!existsSync(join(root, folder))) continue;
    for (const entry of await readdir(join(root, folder), {
      recursive: true,
      withFileTypes: true,
    })) {
      if (entry.isFile() && !entry.name.includes(".test.")) {
        files.push(relative(root, join(entry.parentPath ?? entry.path, entry.name)));
      }
    }
  }
  const hash = createHash("sha256");
  for (const file of [...files.sort(), ...SINGLE]) {
    hash.update(`${file}\0`).update(await readFile(join(root, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Removes bundles of older sources; a day old, so that none still runs from them. */
async function removeOld(cache, current) {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (name !== current && Date.now() - mtimeMs > DAY_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** The path of an up-to-date bundle of src/cli/main.ts. */
export function bundleCli(root) {
  return bundle(root, "src/cli/main.ts", ["src/cli"]);
}

/**
 * The path of an up-to-date bundle of `entry`, which lives in one of `folders`, for Node. What its
 * threads run, if it starts any, lies beside it.
 */
export async function bundle(root, entry, folders) {
  const cache = join(root, ".cache", entry.replace(/\W+/g, "-"));
  const name = await hashSources(root, [...folders, ...SOURCES]);
  const main = join(cache, name, "main.js");
  if (existsSync(main)) return main;

  if (!existsSync(join(root, "node_modules", "vite"))) {
    throw new Error("The studio's packages are missing: run `npm ci` in its folder first.");
  }
  const { build } = await import("vite");
  const draft = join(cache, `${name}.${process.pid}`);
  await mkdir(draft, { recursive: true });
  await build({
    configFile: false,
    root,
    logLevel: "error",
    publicDir: false,
    build: {
      ssr: true,
      outDir: draft,
      emptyOutDir: true,
      target: "node20",
      minify: false,
      rolldownOptions: {
        input: { main: join(root, entry), thread: join(root, "src/node/thread.ts") },
        output: { entryFileNames: "[name].js" },
      },
    },
  });
  try {
    await rename(draft, join(cache, name));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(main)) throw error; // otherwise somebody else was faster with the same bundle
  }
  await removeOld(cache, name);
  return main;
}
