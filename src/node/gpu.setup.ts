import { openDawn } from "./dawn.ts";

// The gpu project's setup: the engine's tests find `navigator.gpu` here as they would in a Worker.
const gpu = await openDawn(process.env.FUSESTUDIO_ADAPTER);
if (!gpu) {
  throw new Error(
    "No GPU adapter, not even a software one. Run `npm run test:gpu`, which looks for a driver, " +
      "or type GPU=none to skip these tests.",
  );
}
Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
