// npm run bench -- nn: see nn.mjs.
// npm run bench -- fuse [--parts represent,align,mined,fuse] [--quick]: bench/fuse.ts beside peers_fuse.py.
// npm run bench -- train [--parts targets,growth,kernels] [--quick]: bench/train.ts beside peers_train.py.
// npm run bench -- merge [--sizes 100MB,1GB] [--dtypes f32,bf16] [--quick]; `--sizes none`: kernels only.
// Bundles bench/merge.ts and runs it with the best adapter at hand, beside torch and mergekit: in
// $FUSESTUDIO_PYTHON, else in what `npm run interop` has installed, else they are NOT RUN.
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { bundle } from "../bin/bundle.mjs";
import { run } from "../scripts/spawn.mjs";
import { runtimeFolder, vulkanEnvironment } from "../scripts/vulkan.mjs";
import { reportChromium } from "./chromium.mjs";
import { benchNn } from "./nn.mjs";

/** The Python of interop/run.mjs, where it has been run. */
function peersPython() {
  if (process.env.FUSESTUDIO_PYTHON) return process.env.FUSESTUDIO_PYTHON;
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "fusestudio");
  const folder = (existsSync(cache) ? readdirSync(cache) : [])
    .map((name) => join(cache, name))
    .find((path) => existsSync(join(path, "finished")));
  return folder && join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
}

const root = join(import.meta.dirname, "..");
const [name = "", ...args] = process.argv.slice(2);
const benches = {
  merge: benchMerge,
  nn: () => benchNn(root, args),
  fuse: () => benchInNode("bench/fuse.ts"),
  train: () => benchInNode("bench/train.ts"),
};
if (!Object.hasOwn(benches, name)) {
  console.error(
    "usage: npm run bench -- merge [--sizes 100MB,1GB] [--dtypes f32,bf16] [--quick]\n" +
      "       npm run bench -- nn [--parts memory,matmul,tokens] [--quick] [--model FOLDER [--only]]\n" +
      "       npm run bench -- fuse [--parts represent,align,mined,fuse] [--quick]\n" +
      "       npm run bench -- train [--parts targets,growth,kernels] [--quick]",
  );
  process.exit(2);
}

/** Bundles a bench of Node's and runs it with the best adapter at hand. */
async function benchInNode(entry) {
  const main = await bundle(root, entry, ["bench"]);
  process.exitCode = await run(process.execPath, [main, ...args], {
    cwd: root,
    env: {
      ...process.env,
      ...vulkanEnvironment(),
      ...runtimeFolder(),
      FUSESTUDIO_BENCH: import.meta.dirname,
      FUSESTUDIO_PYTHON: peersPython() ?? "python3",
      HF_HUB_OFFLINE: "1",
      TRANSFORMERS_VERBOSITY: "error",
    },
  });
}

async function benchMerge() {
  await benchInNode("bench/merge.ts");
  console.log(`\n## Kernels in Chromium\n${await reportChromium(root, ["F32", "BF16"])}`);
}

try {
  await benches[name]();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
