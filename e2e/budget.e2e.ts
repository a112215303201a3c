import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "playwright/test";

const ASSETS = join(import.meta.dirname, "..", "dist", "assets");

/**
 * Kilobytes of JavaScript after gzip, by the chunk's name. What is first loaded decides how soon a
 * page on a slow line stands; a screen, how long one waits at its first visit. Each is the size that it
 * had when the budget was set and a tenth more: a chunk that outgrows it should split, or say why. The
 * worker is the engine, which the page does not wait for: it grew from 285 by twelve methods, the
 * recipe language, vocabularies, adapters, extraction and mixtures. A thread aligns texts and renders
 * chat templates.
 */
const BUDGET_KB = { index: 117, screen: 30, worker: 390, thread: 28 } as const;

/** The chunk's name without its hash. */
const nameOf = (file: string) => file.replace(/-[\w-]{8}\.js$/, "");

function kilobytes(file: string): number {
  return gzipSync(readFileSync(join(ASSETS, file)), { level: 9 }).byteLength / 1000;
}

test("the page's JavaScript stays within its budget", () => {
  const files = readdirSync(ASSETS).filter((file) => file.endsWith(".js"));
  const sizes = new Map(files.map((file) => [nameOf(file), kilobytes(file)]));
  const screens = [...sizes].filter(([name]) => name.endsWith("Screen"));
  expect(screens.length).toBeGreaterThanOrEqual(5); // each screen is a chunk of its own
  for (const [name, size] of screens) {
    expect(size, `${name} in kB`).toBeLessThanOrEqual(BUDGET_KB.screen);
  }
  for (const name of ["index", "worker", "thread"] as const) {
    expect(sizes.get(name), `${name} in kB`).toBeLessThanOrEqual(BUDGET_KB[name]);
  }
});
