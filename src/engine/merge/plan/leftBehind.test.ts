import { describe, expect, test } from "vitest";
import { MAX_COMPANION_BYTES } from "../../checkpoint/companions.ts";
import { parseConfig } from "../../checkpoint/config.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { makeModel } from "../testModels.ts";
import { describeLeftBehind } from "./leftBehind.ts";

const file = (byteLength = 1) => ({ ...bytesInMemory(new Uint8Array(1)), byteLength });
const AUTO_MAP = {
  auto_map: {
    AutoConfig: "configuration_x.XConfig",
    AutoModelForCausalLM: "modeling_x.XForCausalLM",
    AutoTokenizer: ["tokenization_x.XTokenizer", null],
    AutoProcessor: "acme/other--processing.X",
  },
};

function findings(paths: Readonly<Record<string, number>>, config: object, copyCode: boolean) {
  const { recipe } = parseRecipe(
    `merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\ncopy_code: ${copyCode}`,
  );
  const model = makeModel("a", {});
  const files = new Map(Object.entries(paths).map(([path, size]) => [path, file(size)]));
  const parsed = parseConfig(JSON.stringify(config), "config.json");
  const checkpoint = { ...model, files, config: parsed };
  const nothing = { tokens: null, repeatsEmbedding: false, nonfiniteRows: [] };
  return describeLeftBehind({ key: "a", checkpoint, stored: checkpoint, ...nothing }, recipe);
}

describe("what a result will not have is said", () => {
  test("by reason, with the files; what is copied or made anew is not spoken of", () => {
    const said = findings(
      {
        "tokenizer.json": 1,
        "config.json": 1,
        "README.md": 1,
        "1_Pooling/config.json": 1,
        "optimizer.pt": 1,
        "runs/events.out.tfevents.1": 1,
        "pytorch_model.bin": 1,
        "speakers.json": MAX_COMPANION_BYTES + 1,
        "notes.md": 1,
      },
      {},
      false,
    );
    expect(said.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'note: Not copied from "a", left by training: optimizer.pt, runs/events.out.tfevents.1.',
      'note: Not copied from "a", weights in another format: pytorch_model.bin.',
      'note: Not copied from "a", larger than 64 MiB: speakers.json.',
      'note: Not copied from "a", about the source: notes.md.',
    ]);
  });

  test("code that config.json names is a warning unless it is asked for and there", () => {
    const code = { "configuration_x.py": 1, "modeling_x.py": 1, "tokenization_x.py": 1 };
    const [warning, note] = findings(code, AUTO_MAP, false);
    expect(warning).toMatchObject({ severity: "warning", code: "missing-file", model: "a" });
    expect(warning?.message).toContain("configuration_x.py, modeling_x.py, tokenization_x.py");
    expect(warning?.message).toContain("copy_code: true");
    expect(note?.message).toContain("code: configuration_x.py");
    expect(warning).toMatchObject({ setting: "copy_code", items: Object.keys(code) });
    const [copied, ...others] = findings(code, AUTO_MAP, true);
    expect(others).toEqual([]);
    expect(copied).toMatchObject({ severity: "note", setting: "copy_code" });
    expect(copied?.message).toContain("Whoever loads the result runs it");
    const [lacking] = findings({ "modeling_x.py": 1 }, AUTO_MAP, true);
    expect(lacking?.message).toContain("auto_map: configuration_x.py, tokenization_x.py)");
  });
});
