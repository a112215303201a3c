import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectAccessible, inBothThemes, tabTo } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { ANSWER_MS } from "./playground.ts";
import { expectStored, goTo, openStudio, pickFiles, pickFolder, SAMPLES } from "./studio.ts";

/** Rows of the sample texts under a domain each, and one under none. */
function writeMixed(folder: string): string {
  const take = (name: string, count: number) =>
    readFileSync(join(SAMPLES, "texts", `${name}.jsonl`), "utf8")
      .split("\n")
      .slice(0, count)
      .map((line): object => JSON.parse(line));
  const rows = [
    ...take("maths", 5).map((row) => ({ ...row, domain: "maths" })),
    ...take("tales", 2).map((row) => ({ ...row, domain: "tales" })),
    ...take("drama", 1),
  ];
  const path = join(folder, "mixed.jsonl");
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

test("a dataset of several domains opens into a table by domain, by keyboard, and is downloaded", async ({
  page,
  folder,
}) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openStudio(page);
  for (const name of ["ember-base", "ember-maths"]) {
    await pickFolder(page, join(SAMPLES, name));
    await expectStored(page, name);
  }
  await pickFiles(page, [writeMixed(folder)]);
  await expect(page.getByRole("list", { name: "Datasets" }).getByRole("listitem")).toHaveCount(1);
  await goTo(page, "Playground");
  await page.getByRole("tab", { name: "Evaluate" }).click();
  for (const name of ["ember-base", "ember-maths"]) {
    await expect(page.getByRole("checkbox", { name, exact: true })).toBeChecked();
  }
  await page.getByRole("button", { name: "Start the evaluation" }).click();
  const heading = page.locator("summary").filter({ hasText: "mixed.jsonl by domain" });
  await expect(heading).toContainText("2 domains", { timeout: ANSWER_MS });

  const table = page.getByRole("region", { name: "mixed.jsonl by domain" });
  await expect(table).toBeHidden();
  await tabTo(page, heading);
  await page.keyboard.press("Enter");
  await expect(table).toBeVisible();
  const rows = table.getByRole("rowheader");
  await expect(rows).toHaveText(["maths5 rows", "tales2 rows", "no domain given1 row"]);
  await expect(table.getByRole("columnheader")).toHaveText(["Domain", "ember-base", "ember-maths"]);
  await expect(table.getByRole("row", { name: /^maths/ })).toContainText("better");
  await expect(table.getByRole("row", { name: /^tales/ })).toContainText("too few rows");
  await page.keyboard.press("Tab");
  await expect(table).toBeFocused();
  await inBothThemes(page, (theme) => expectAccessible(page, `Evaluate, by domain, ${theme}`));

  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download CSV" }).click();
  const lines = readFileSync(await (await saved).path(), "utf8")
    .trim()
    .split("\r\n");
  expect(lines.map((line) => line.split(",").slice(0, 4).join(","))).toEqual([
    "model,dataset,domain,rows",
    ...["ember-base", "ember-maths"].flatMap((model) => [
      `${model},mixed.jsonl,,8`,
      `${model},mixed.jsonl,maths,5`,
      `${model},mixed.jsonl,tales,2`,
      `${model},mixed.jsonl,no domain given,1`,
    ]),
  ]);
});
