import { serve } from "./bridge/bridge.ts";
import type { Engine } from "./engine/contract/index.ts";
import { createEngine } from "./engine/create.ts";

declare const self: DedicatedWorkerGlobalScope;

serve<Engine>(({ baseUrl }) => {
  const { gpu, locks, storage } = self.navigator;
  const channel = new BroadcastChannel("fusestudio");
  return createEngine({ gpu, locks, storage, baseUrl, channel });
}, self);
