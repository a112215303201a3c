import { beforeEach, expect } from "vitest";
import { openDawn } from "./dawn.ts";

// The gpu project's setup: the engine's tests find `navigator.gpu` here as they would in a Worker.
if (process.env.GPU === "none") {
  beforeEach((context) => {
    console.log(`NOT RUN (GPU=none): ${expect.getState().currentTestName}`);
    context.skip("GPU=none");
  });
} else {
  const gpu = await openDawn(process.env.FUSESTUDIO_ADAPTER);
  if (!gpu) {
    throw new Error(
      "No GPU adapter, not even a software one. Run `npm run test:gpu`, which looks for a driver, " +
        "or type GPU=none to leave these tests out.",
    );
  }
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
}
