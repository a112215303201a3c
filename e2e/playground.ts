import { expect, type Page } from "playwright/test";

/** Compiling the kernels on a software GPU comes before the first token. */
export const ANSWER_MS = 60_000;

export const column = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
export const tokensOf = (page: Page, name: string) => column(page, name).getByRole("option");
export const facts = (page: Page, name: string) => column(page, name).getByText(/^\d+ tokens? · /);

/** Chooses these models and no others. */
export async function chooseModels(page: Page, names: readonly string[]): Promise<void> {
  const boxes = page.getByRole("list", { name: "Models to ask" }).getByRole("checkbox");
  await expect(boxes.first()).toBeEnabled();
  for (const box of await boxes.all()) if (await box.isChecked()) await box.uncheck();
  for (const name of names) await page.getByRole("checkbox", { name, exact: true }).check();
}

/** Gives a prompt to the chosen models, and waits until all have answered. */
export async function run(page: Page, prompt: string, tokens: number): Promise<void> {
  await page.getByRole("textbox", { name: "Tokens" }).fill(String(tokens));
  await page.getByRole("textbox", { name: "Prompt" }).fill(prompt);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible({
    timeout: ANSWER_MS,
  });
}

/** The tokens' labels: text, surprisal and the likeliest. */
export async function readTokens(page: Page, name: string): Promise<readonly (string | null)[]> {
  const options = await tokensOf(page, name).all();
  return Promise.all(options.map((option) => option.getAttribute("aria-label")));
}
