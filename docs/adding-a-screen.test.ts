import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ScratchCopy } from "./followPage.ts";

test("a screen is the two files that its page names", () => {
  using copy = new ScratchCopy();
  const blocks = copy.follow("adding-a-screen.md");
  expect(blocks.every(({ path }) => path.startsWith("src/ui/screens/notes/"))).toBe(true);
  expect(copy.run("typescript/bin/tsc", "-p", "tsconfig.ui.json")).toBe("");
  expect(copy.run("vite/bin/vite.js", "build", "--logLevel", "warn")).toBe("");

  const assets = join(copy.folder, "dist", "assets");
  const chunks = readdirSync(assets).filter((file) => file.endsWith(".js"));
  const main = chunks.find((file) => file.startsWith("index-")) as string;
  const page = readFileSync(join(assets, main), "utf8");
  expect(page).toContain("What is in the library, in a sentence"); // its card is in the table
  expect(chunks.filter((file) => file.startsWith("NotesScreen-"))).toHaveLength(1);
});
