import { expect, test } from "vitest";
import type { Engine } from "../engine/contract/index.ts";
import { serve } from "./bridge.ts";
import { connectEngine } from "./connectEngine.ts";

test("the page asks for lasting storage before the engine tells the state", async () => {
  let persisted = false;
  const { port1, port2 } = new MessageChannel();
  const card = async () => ({ usedBytes: 1, quotaBytes: null, persisted });
  serve(async () => ({ persist: card, storage: card }) as unknown as Engine, port1);
  const page = {
    persist: async () => {
      persisted = true;
      return true;
    },
  };
  const engine = connectEngine(port2, { baseUrl: "http://localhost/" }, page);
  expect((await engine.storage()).persisted).toBe(false);
  expect((await engine.persist()).persisted).toBe(true);
  port1.close();
});
