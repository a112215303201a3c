import { expect, test } from "./browser.ts";

test("the page opens, finds a GPU and asks nobody else for anything", async ({
  page,
  foreignRequests,
}) => {
  await page.goto("");
  await expect(page).toHaveTitle(/FuseStudio/);
  const hasAdapter = await page.evaluate(
    async () => (await navigator.gpu?.requestAdapter()) !== null,
  );
  expect(hasAdapter).toBe(true);
  await page.waitForLoadState("networkidle");
  expect(foreignRequests).toEqual([]);
});
