import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Page } from "playwright/test";
import { build } from "vite";

export const ROOT = join(import.meta.dirname, "..");
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/**
 * Puts a page over the engine beside the studio's own, under the same content security policy. `entry`
 * is a module of this folder that sets `window.answer`; the project lies below `root/`.
 */
export async function openEnginePage(page: Page, folder: string, entry: string): Promise<void> {
  const outDir = join(folder, "engine-page");
  await build({
    configFile: false,
    root: ROOT,
    base: "./",
    logLevel: "error",
    publicDir: false,
    build: {
      outDir,
      target: "es2023",
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: join(ROOT, "e2e", entry),
        output: { entryFileNames: "page.js" },
      },
    },
  });
  const studio = await page.goto("");
  const policy = studio?.headers()["content-security-policy"];
  if (!policy) throw new Error("the studio is served without a content security policy");
  const headers = { "Content-Security-Policy": policy };
  await page.context().route("**/engine-page/**", async (route) => {
    const path = new URL(route.request().url()).pathname.split("/engine-page/")[1] as string;
    if (path === "") {
      const body =
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>';
      return route.fulfill({ headers, contentType: "text/html", body });
    }
    const file = path.startsWith("root/") ? join(ROOT, path.slice(5)) : join(outDir, path);
    if (!existsSync(file)) return route.fulfill({ status: 404, headers });
    const contentType = TYPES[extname(file)] ?? "application/octet-stream";
    return route.fulfill({ headers, contentType, body: readFileSync(file) });
  });
  await page.goto("engine-page/");
  await page.waitForFunction(() => "answer" in window);
}
