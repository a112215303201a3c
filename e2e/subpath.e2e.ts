import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";
import { expect, test as studioTest } from "./browser.ts";
import { expectStored, openStudio, pickFolder, SAMPLES, trySamples } from "./studio.ts";

const DIST = join(import.meta.dirname, "..", "dist");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** The built folder under /x/ of a server that knows nothing else, not even the CSP's header. */
const test = studioTest.extend<{ host: string }>({
  host: ["localhost", { option: true }],
  baseURL: async ({ host }, use) => {
    const server = createServer(async (request, response) => {
      const path = new URL(request.url ?? "/", "http://localhost").pathname;
      const inside = normalize(join(DIST, path.replace(/^\/x\/$/, "/x/index.html").slice(2)));
      const body =
        path.startsWith("/x/") && inside.startsWith(DIST + sep)
          ? await readFile(inside).catch(() => null)
          : null;
      const type = TYPES[extname(inside)] ?? "application/octet-stream";
      response.writeHead(body ? 200 : 404, { "Content-Type": type }).end(body ?? "nothing here");
    });
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    await use(`http://${host}:${(server.address() as AddressInfo).port}/x/`);
    await new Promise((resolve) => server.close(resolve));
  },
});

test("the built folder works under a sub-path: page, worker, fonts and samples", async ({
  page,
  baseURL,
}) => {
  const base = String(baseURL);
  const answers: { readonly path: string; readonly status: number }[] = [];
  page.context().on("response", (response) => {
    const path = response.url().replace(base, "");
    answers.push({ path, status: response.status() });
  });
  await openStudio(page, base);
  await trySamples(page);
  await page.evaluate(() => document.fonts.ready);
  const fonts = await page.evaluate(() =>
    [...document.fonts].filter(({ status }) => status === "loaded").map(({ family }) => family),
  );
  expect(fonts.join()).toMatch(/Inter/);
  expect(fonts.join()).toMatch(/JetBrains Mono/);
  expect(answers.filter(({ status }) => status >= 400)).toEqual([]);
  const paths = answers.map(({ path }) => path);
  expect(paths.filter((path) => path.startsWith("http"))).toEqual([]);
  expect(paths).toContainEqual(expect.stringMatching(/^assets\/worker-.*\.js$/));
  expect(paths).toContainEqual(expect.stringMatching(/^assets\/.*\.woff2$/));
  expect(paths).toContain("samples/ember-base/model.safetensors");
});

test.describe("over plain http from another machine, where browsers hold much back", () => {
  test.use({
    host: "studio.test",
    gpuFlags: ["--host-resolver-rules=MAP studio.test 127.0.0.1"],
  });

  test("the page says that it needs https, and still imports", async ({ page, baseURL }) => {
    await openStudio(page, String(baseURL));
    await page.getByRole("button", { name: "No GPU" }).click();
    await expect(page.getByText("Open the page over https or on localhost")).toBeVisible();
    await page.keyboard.press("Escape");
    await pickFolder(page, join(SAMPLES, "ember-base"));
    await expectStored(page, "ember-base");
  });
});
