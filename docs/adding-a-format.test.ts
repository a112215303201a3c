import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ScratchCopy } from "./followPage.ts";

/** Asks the copy's registry as the page's drop, the importer and every command do. */
const ASK = `import { expect, test } from "vitest";
import { findFormat, isWeightFile } from "./formatRegistry.ts";
import { sortDropped } from "./library/dropped.ts";
import { listFolders } from "./library/folders.ts";

test("the made-up format is known wherever formats are asked", () => {
  expect(isWeightFile("vector.rawf")).toBe(true);
  expect(findFormat(["vector.rawf", "notes.txt"])?.title).toBe("raw floats");
  expect(listFolders(["vector.rawf"])).toHaveLength(1);
  expect(sortDropped(["m/vector.rawf", "m/rows.json"]).data).toEqual([]);
});
`;

/** What `studio inspect --json` of the copy says of a file. */
function inspect(copy: ScratchCopy, path: string) {
  const studio = join(copy.folder, "bin", "studio.mjs");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [studio, "inspect", path, "--json"],
    { cwd: copy.folder, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", VITEST: "" } },
  );
  return { status, stdout, stderr };
}

test("a format is the one file that its page names", () => {
  using copy = new ScratchCopy();
  const blocks = copy.follow("adding-a-format.md");
  expect(blocks.map(({ path }) => path)).toEqual(["src/engine/checkpoint/formats/rawFloats.ts"]);
  expect(copy.run("typescript/bin/tsc", "-p", "tsconfig.engine.json")).toBe("");
  copy.write("src/engine/checkpoint/asked.test.ts", ASK);
  const suite = ["run", "--project", "unit", "src/engine/checkpoint/asked.test.ts"];
  expect(copy.run("vitest/vitest.mjs", ...suite)).toBe("");

  const file = join(copy.folder, "vector.rawf");
  const values = Float32Array.of(1, -2, 4);
  writeFileSync(file, Buffer.concat([Buffer.from("RAWF"), Buffer.from(values.buffer)]));
  const opened = inspect(copy, file);
  expect(opened.stderr).not.toContain("error");
  const { tensors } = JSON.parse(opened.stdout);
  expect(tensors["vector.weight"]).toMatchObject({
    dtype: "F32",
    shape: [3],
    count: 3,
    min: -2,
    max: 4,
    mean: 1,
  });
  writeFileSync(file, "RAWFxx");
  const refused = inspect(copy, file);
  expect(refused.status).not.toBe(0);
  expect(refused.stdout + refused.stderr).toContain("whole floats");
}, 120_000);
