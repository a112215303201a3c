import axe from "axe-core";
import { expect, type Locator, type Page } from "playwright/test";

const AXE = axe.source;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly {
    readonly target: readonly string[];
    readonly failureSummary: string;
  }[];
}

/** What axe finds on the page as it stands that is serious or critical, a line each. */
export async function findViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async (tags): Promise<Violation[]> => {
    const { axe: loaded } = window as unknown as {
      axe: { run(options: object): Promise<{ violations: Violation[] }> };
    };
    return (await loaded.run({ runOnly: { type: "tag", values: tags } })).violations;
  }, RULES);
  const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return bad.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(" ")}: ${failureSummary}`),
  );
}

/** Fails with what axe finds that is serious or critical. */
export async function expectAccessible(page: Page, place: string): Promise<void> {
  expect(await findViolations(page), place).toEqual([]);
}

/** Runs a check in the light and in the dark theme. */
export async function inBothThemes(
  page: Page,
  check: (theme: string) => Promise<void>,
): Promise<void> {
  await check("light");
  await page.getByRole("button", { name: "Use the dark theme" }).click();
  await expect(page.getByRole("button", { name: "Use the light theme" })).toBeVisible();
  await check("dark");
  await page.getByRole("button", { name: "Use the light theme" }).click();
}

/** Presses Tab until an element has the focus; more often than there are stops is a failure. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let press = 0; press < 90; press++) {
    if ((await target.count()) === 1 && (await target.evaluate((node) => node.matches(":focus")))) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${target}.`);
}
