import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requireOutside } from "./outputPlace.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-place-"));
  await mkdir(join(root, "model"));
  await symlink(join(root, "model"), join(root, "link"));
  await writeFile(join(root, "one.safetensors"), "");
});
afterEach(() => rm(root, { recursive: true, force: true }));

test.each(["model", "model/merged", "model/deep/er", "link", "link/merged"])(
  "%s lies inside the input",
  async (output) => {
    await expect(requireOutside(join(root, output), [join(root, "model")])).rejects.toMatchObject({
      code: "permission",
    });
  },
);

test.each(["out", "model-2", "mode", "model/../out"])("%s does not", async (output) => {
  await requireOutside(join(root, output), [join(root, "model"), join(root, "one.safetensors")]);
});

test("an input that is named by a link is the folder behind it", async () => {
  await expect(
    requireOutside(join(root, "model", "x"), [join(root, "link")]),
  ).rejects.toMatchObject({
    code: "permission",
  });
});
