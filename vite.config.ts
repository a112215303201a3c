import { relative } from "node:path";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/**
 * What the page may do. No host but its own; `unsafe-inline` is for style attributes only
 * (positions and colours of cells), `wasm-unsafe-eval` for the hash and ONNX Runtime.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** GPU=none skips the tests of the GPU, by whole files: most acquire a device before any test. */
const withoutGpu = process.env.GPU === "none";
const skippedFiles: Plugin = {
  name: "skipped-gpu-tests",
  enforce: "pre",
  transform(_, id) {
    if (!id.endsWith(".gpu.test.ts")) return;
    console.log(`NOT RUN (GPU=none): ${relative(import.meta.dirname, id)}`);
    return `import { test } from "vitest"; test.skip("all, for GPU=none");`;
  },
};

export default defineConfig({
  base: "./",
  plugins: [
    react(),
    {
      name: "content-security-policy",
      apply: "build",
      transformIndexHtml: () => [
        {
          tag: "meta",
          attrs: { "http-equiv": "Content-Security-Policy", content: CONTENT_SECURITY_POLICY },
          injectTo: "head-prepend",
        },
      ],
    },
  ],
  worker: { format: "es" },
  // It finds its WebAssembly beside itself, where the development server would not put it.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  build: { target: "es2023", assetsInlineLimit: 0 },
  preview: { headers: { "Content-Security-Policy": CONTENT_SECURITY_POLICY } },
  test: {
    pool: "forks",
    teardownTimeout: 2000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Nothing in these tests is global, and a process a file costs more than most files.
          isolate: false,
          // A busy machine may be slow; a test that hangs still ends.
          testTimeout: 30_000,
          // Vitest leaves a core to others; two small workers are still the faster.
          maxWorkers: 2,
          include: ["src/**/*.test.{ts,tsx}", "scripts/**/*.test.ts"],
          exclude: ["src/**/*.gpu.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "docs",
          // Each follows a page in a copy of the project, with compiler and bundler.
          include: ["docs/**/*.test.ts"],
          exclude: ["docs/**/*.gpu.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
        },
      },
      {
        extends: true,
        plugins: withoutGpu ? [skippedFiles] : [],
        test: {
          name: "gpu",
          include: ["{src,docs}/**/*.gpu.test.ts"],
          setupFiles: withoutGpu ? [] : ["src/node/gpu.setup.ts"],
          fileParallelism: false,
          // A software GPU on a busy machine is slow, not broken.
          testTimeout: 180_000,
        },
      },
    ],
  },
});
