import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "playwright/test";

/** Python with torch and transformers; where there is none, transformers is not asked. */
const PYTHON = process.env.FUSESTUDIO_PYTHON;

const READ = `
import json, sys, warnings
warnings.filterwarnings("ignore")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, text = sys.argv[1:]
model, told = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
tokenizer = AutoTokenizer.from_pretrained(folder)
ids = tokenizer(text, return_tensors="pt")["input_ids"]
with torch.no_grad():
    logits = model(input_ids=ids).logits
print(json.dumps({
    "layers": model.config.num_hidden_layers,
    "missing": sorted(told["missing_keys"]),
    "unexpected": sorted(told["unexpected_keys"]),
    "vocabulary": len(tokenizer),
    "rows": model.get_input_embeddings().weight.shape[0],
    "finite": bool(torch.isfinite(logits).all()),
}))
`;

interface ReadModel {
  readonly layers: number;
  readonly vocabulary: number;
  readonly rows: number;
}

/** Asserts that transformers loads a folder, every tensor used and none missing, and runs it. */
export async function readWithTransformers(
  folder: string,
  wanted: Partial<ReadModel>,
): Promise<void> {
  if (!PYTHON) {
    console.log("NOT RUN: transformers, no FUSESTUDIO_PYTHON");
    return;
  }
  const { stdout } = await promisify(execFile)(PYTHON, ["-c", READ, folder, "Once upon a time"]);
  const told = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  expect(told).toMatchObject({ missing: [], unexpected: [], finite: true, ...wanted });
}
