import type { Architecture } from "../architecture.ts";
import { llamaLike, readWindow, readWindows } from "../blocks.ts";

/** Llama with a sliding window over all layers. */
export default {
  modelType: "mistral",
  describe: (config, tied) =>
    llamaLike("mistral", config, tied, {
      windows: (layers) => readWindows(config, layers, readWindow(config), () => true),
    }),
} satisfies Architecture;
