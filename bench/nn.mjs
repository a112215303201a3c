// npm run bench -- nn [--parts memory,matmul,tokens] [--quick] [--model FOLDER [--only]]: all in one
// page of headless Chromium, beside ONNX Runtime Web and tfjs. --model measures the memory of one model
// more, and its tokens where it is an export too; --only measures that model alone.
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join, normalize, sep } from "node:path";
import { parseArgs } from "node:util";
import { build } from "vite";
import { inChromium } from "./chromium.mjs";

const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const NEEDED = /(\.json|\.safetensors|\.onnx)$/;

const isExport = (paths) => paths.some((path) => path.endsWith(".onnx"));

/** A large model that is no sample takes minutes to read more than a token. */
async function describeModel(folder, samples) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && NEEDED.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .map((path) => path.split(sep).join("/"));
  const mostTokens = samples.includes(folder) || isExport(paths) ? 256 : 1;
  return { name: basename(folder), paths, mostTokens };
}

function bundlePage(root, outDir) {
  return build({
    configFile: false,
    root,
    base: "./",
    logLevel: "error",
    publicDir: false,
    build: {
      outDir,
      emptyOutDir: true,
      minify: false,
      target: "es2023",
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: join(root, "bench", "nnPage.mjs"),
        preserveEntrySignatures: "strict",
        output: { entryFileNames: "bench.js" },
      },
    },
  });
}

/** Runs the bench and prints its tables as they come. */
export async function benchNn(root, args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      model: { type: "string" },
      only: { type: "boolean", default: false },
      parts: { type: "string", default: "memory,matmul,tokens" },
    },
  });
  const samples = ["ember-base", "slate-source"].map((name) =>
    join(root, "public", "samples", name),
  );
  const folders = new Map(
    [...(values.only ? [] : samples), ...(values.model ? [normalize(values.model)] : [])].map(
      (folder) => [basename(folder), folder],
    ),
  );
  const models = await Promise.all(
    [...folders.values()].map((folder) => describeModel(folder, samples)),
  );
  const outDir = await mkdtemp(join(tmpdir(), "fusestudio-bench-"));
  try {
    await bundlePage(root, outDir);
    const respond = (request, response) => {
      const path = new URL(request.url, "http://localhost").pathname;
      const [, model, rest] = /^\/models\/([^/]+)\/(.+)$/.exec(path) ?? [];
      const file = model ? join(folders.get(model) ?? outDir, rest) : join(outDir, path);
      response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
      createReadStream(file)
        .on("error", () => response.writeHead(404).end())
        .pipe(response);
    };
    await inChromium(respond, async (page) => {
      await page.exposeFunction("printPart", (part) => console.log(part));
      await page.exposeFunction("note", (text) => console.error(`… ${text}`));
      await page.evaluate(
        async (options) => {
          const { run } = await import("/bench.js");
          await run(options, window.printPart, window.note);
        },
        {
          parts: values.parts.split(","),
          timed: models.filter(({ mostTokens }) => mostTokens > 1),
          measured: models,
          repetitions: values.quick ? 3 : 7,
        },
      );
    });
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}
