import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, test as base, chromium, type Page } from "playwright/test";

const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
  "--disable-sync",
];

interface Fixtures {
  /** A browser profile of its own on disk: incognito contexts have another quota and lose their data. */
  readonly context: BrowserContext;
  readonly page: Page;
  /** Requests that left the page's own origin; must stay empty. */
  readonly foreignRequests: readonly string[];
}

/** Opens a browser with WebGPU and a persistent profile in `folder`. */
export function openBrowser(
  folder: string,
  flags: readonly string[] = [],
): Promise<BrowserContext> {
  const executablePath = process.env.CHROMIUM;
  if (!executablePath) throw new Error("CHROMIUM is not set: run the journeys with `npm run e2e`.");
  return chromium.launchPersistentContext(folder, {
    executablePath,
    args: [...FLAGS, ...flags],
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
  });
}

export const test = base.extend<Fixtures>({
  context: async ({ baseURL: _ }, use) => {
    const folder = mkdtempSync(join(tmpdir(), "fusestudio-e2e-"));
    const context = await openBrowser(folder);
    await use(context);
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  },
  page: async ({ context }, use) => {
    await use(context.pages()[0] ?? (await context.newPage()));
  },
  foreignRequests: [
    async ({ context, baseURL }, use) => {
      const requests: string[] = [];
      context.on("request", (request) => {
        const { protocol, origin } = new URL(request.url());
        const own = origin === new URL(baseURL as string).origin;
        if (!own && protocol !== "blob:" && protocol !== "data:") requests.push(request.url());
      });
      await use(requests);
    },
    { auto: true },
  ],
});

export { expect } from "playwright/test";
