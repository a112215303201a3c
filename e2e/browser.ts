import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, test as base, chromium, expect, type Page } from "playwright/test";

const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const QUIET = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
  "--disable-sync",
];

interface Options {
  /** Flags that decide whether the browser has WebGPU. */
  readonly gpuFlags: string[];
}

interface Fixtures {
  /** A browser profile of its own on disk: incognito contexts have another quota and lose their data. */
  readonly context: BrowserContext;
  readonly page: Page;
  /** Requests that left the page's own origin; must stay empty, and is checked after every journey. */
  readonly foreignRequests: readonly string[];
  /** Errors in the page's and the Worker's consoles, CSP violations among them; checked likewise. */
  readonly consoleErrors: readonly string[];
  /** A folder on disk that is gone after the journey. */
  readonly folder: string;
}

/** Opens a browser with a persistent profile in `folder`. */
function openBrowser(folder: string, flags: readonly string[]): Promise<BrowserContext> {
  const executablePath = process.env.CHROMIUM;
  if (!executablePath) throw new Error("CHROMIUM is not set: run the journeys with `npm run e2e`.");
  return chromium.launchPersistentContext(folder, {
    executablePath,
    args: [...QUIET, ...flags],
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
  });
}

function listForeign(context: BrowserContext, origin: string): readonly string[] {
  const requests: string[] = [];
  context.on("request", (request) => {
    const url = new URL(request.url());
    const own = url.origin === origin || url.protocol === "blob:" || url.protocol === "data:";
    if (!own) requests.push(request.url());
  });
  return requests;
}

function listErrors(context: BrowserContext): readonly string[] {
  const errors: string[] = [];
  context.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => errors.push(String(error.error())));
  return errors;
}

export const test = base.extend<Fixtures & Options>({
  gpuFlags: [WEBGPU, { option: true }],
  folder: async ({ baseURL: _ }, use) => {
    const folder = mkdtempSync(join(tmpdir(), "fusestudio-e2e-"));
    await use(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  },
  context: async ({ folder, gpuFlags }, use) => {
    const context = await openBrowser(join(folder, "profile"), gpuFlags);
    await use(context);
    await context.close();
  },
  page: async ({ context }, use) => {
    await use(context.pages()[0] ?? (await context.newPage()));
  },
  foreignRequests: [
    async ({ context, baseURL }, use) => {
      const requests = listForeign(context, new URL(baseURL as string).origin);
      await use(requests);
      expect(requests, "requests that left the page's own address").toEqual([]);
    },
    { auto: true },
  ],
  consoleErrors: [
    async ({ context }, use) => {
      const errors = listErrors(context);
      await use(errors);
      expect(errors, "errors in the console").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect } from "playwright/test";
