import { expect, test } from "./browser.ts";
import { writeFamily } from "./checkpoints.ts";
import { expectStored, goTo, MERGE_MS, openStudio, pickFolder, waitForProgress } from "./studio.ts";

const LARGE = { layers: 32, hidden: 512 };

test("a second tab sees the work of the first and does not take it for dead", async ({
  page,
  context,
  folder,
}) => {
  const [large = ""] = writeFamily(folder, ["large"], LARGE);
  const other = await context.newPage();
  await openStudio(other, "#/runs");
  await page.bringToFront();
  await openStudio(page);
  await pickFolder(page, large);
  await waitForProgress(page, /^Import/, 10);
  const run = other.getByRole("listitem").filter({ hasText: "Import large" });
  await expect(run).toContainText("running");
  await other.reload();
  await expect(run).toContainText(/running|done/);
  await expectStored(page, "large", MERGE_MS);
  await expect(run).toContainText("done");
  await goTo(other, "Library");
  await expectStored(other, "large");
});
