// What the benches run in headless Chromium: of `merge`, the kernels once more.
import { createServer } from "node:http";
import { join } from "node:path";
import { chromium } from "playwright";
import { build } from "vite";
import { needBrowser } from "../scripts/browser.mjs";

const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
  "--disable-sync",
];

async function bundleForPage(root) {
  const { output } = await build({
    configFile: false,
    root,
    logLevel: "error",
    publicDir: false,
    build: {
      write: false,
      minify: false,
      target: "es2023",
      lib: { entry: join(root, "bench", "kernelReport.ts"), formats: ["es"], fileName: "bench" },
    },
  }).then((built) => (Array.isArray(built) ? built[0] : built));
  return output[0].code;
}

/**
 * Hands `use` a page of headless Chromium on a server of its own. `respond` answers every request
 * but the one for the page.
 */
export async function inChromium(respond, use) {
  const executablePath = needBrowser();
  // WebGPU needs a secure context: localhost is one, about:blank is not.
  const server = createServer((request, response) => {
    if (request.url !== "/") return respond(request, response);
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>bench</title>");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return await use(page);
  } finally {
    await browser.close();
    server.close();
  }
}

/** The kernels' Markdown table, or a sentence that says why there is none. */
export async function reportChromium(root, dtypes) {
  const code = await bundleForPage(root);
  const respond = (_request, response) => {
    response.setHeader("Content-Type", "text/javascript");
    response.end(code);
  };
  return inChromium(respond, (page) =>
    page.evaluate(async (names) => {
      const { reportKernels } = await import("/bench.js");
      return reportKernels(navigator.gpu, names, true);
    }, dtypes),
  );
}
