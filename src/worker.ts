import { serve } from "./bridge/bridge.ts";
import type { Engine } from "./engine/contract/index.ts";
import { createEngine } from "./engine/create.ts";

declare const self: DedicatedWorkerGlobalScope;

serve<Engine>(({ baseUrl }) => {
  const { gpu, locks, storage } = self.navigator;
  return createEngine({ gpu, locks, storage, baseUrl });
}, self);
