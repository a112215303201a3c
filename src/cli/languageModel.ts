import { resolve } from "node:path";
import { isOnnxExport } from "../engine/checkpoint/onnxExport.ts";
import { EngineError } from "../engine/contract/index.ts";
import type { FileTree } from "../engine/core/bytes.ts";
import type { Gpu, GpuProvider } from "../engine/gpu/device.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import type { DecoderPlan } from "../engine/runtime/decoder/plan.ts";
import { findRunnable } from "../engine/runtime/language/findRunnable.ts";
import type { LanguageModel } from "../engine/runtime/languageModel.ts";
import { openOnnx } from "../engine/runtime/onnx/openOnnx.ts";
import { openTokenizer, type TextTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { openGpuProvider } from "../node/gpuProvider.ts";
import { type Call, formatBytes, parseByteSize } from "./command.ts";
import { type OpenModel, openModel } from "./openModel.ts";

/** Options of every command that runs a model. */
export const RUN_OPTIONS = {
  adapter: { value: "NAME", help: "Part of the GPU's name." },
  budget: { value: "SIZE", help: "GPU memory to keep to, such as 2GiB (the default)." },
} as const;

/** Bytes of `--budget`, null where it is not given; `usage` for anything that is no size. */
export function readBudget({ budget }: Call["options"]): number | null {
  return budget === undefined ? null : parseByteSize(budget, "budget");
}

/** GPU of a command, limited to `--budget`; `no-adapter` without a GPU. */
export async function openBudgetedGpu(options: Call["options"]): Promise<GpuProvider> {
  const budgetBytes = readBudget(options);
  const gpuProvider = await openGpuProvider(options.adapter);
  if (budgetBytes !== null) gpuProvider.setBudget(budgetBytes);
  return gpuProvider;
}

/** A model that was checked without a GPU, and can be loaded onto one. */
export interface RunnableModel {
  readonly name: string;
  readonly files: FileTree;
  /** Vocabulary size; null for an ONNX export, whose graph has it. */
  readonly vocabSize: number | null;
  readonly contextLength: number;
  /** Tokenizer; `missing-file` where the folder has none. */
  tokenizer(): Promise<TextTokenizer>;
  load(): Promise<{ readonly gpu: Gpu; readonly model: LanguageModel }>;
  close(): Promise<void>;
}

/** Opens MODEL and checks that it can be run; prints a line when layers will be streamed. */
export async function openRunnable(
  path: string,
  { options, signal, say, progress }: Call,
): Promise<RunnableModel> {
  readBudget(options); // refused before anything is opened
  const opened = await openModel(resolve(path));
  const { checkpoint } = opened;
  const { contextLength } = await closingOnError(opened, () => findRunnable(checkpoint));
  const onPlan = ({ streamed, weightBytes, peakBytes, budgetBytes: budget }: DecoderPlan) => {
    if (!streamed) return;
    say(
      `note: ${formatBytes(weightBytes)} of weights do not fit the GPU budget of ${formatBytes(budget)}: layers are loaded one after the other in every pass (${formatBytes(peakBytes)} at once). Slow; --budget raises it.`,
    );
  };
  let model: LanguageModel | undefined;
  return {
    name: checkpoint.name,
    files: checkpoint.files,
    vocabSize: checkpoint.config?.vocabSize ?? null,
    contextLength,
    async tokenizer() {
      const tokenizer = await openTokenizer(checkpoint.files);
      if (tokenizer) return tokenizer;
      throw new EngineError(
        "missing-file",
        `${checkpoint.name} has neither tokenizer.json nor vocab.json with merges.txt, which turn text into tokens. Give token ids with --ids instead.`,
        { model: checkpoint.name, file: "tokenizer.json" },
      );
    },
    async load() {
      const gpu = await (await openBudgetedGpu(options)).get();
      model = isOnnxExport(checkpoint)
        ? await openOnnx(gpu, checkpoint.files, { name: checkpoint.name, signal, progress })
        : await openDecoder(gpu, checkpoint, { signal, progress, onPlan });
      return { gpu, model };
    },
    async close() {
      model?.release();
      await opened.files.close();
    },
  };
}

async function closingOnError<T>({ files }: OpenModel, work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** Ids of `--ids 1,2,3`, or of a text with the tokenizer's special tokens. */
export async function readIds(
  model: RunnableModel,
  { ids, text }: { readonly ids: string | undefined; readonly text: string | undefined },
  textOption: string,
): Promise<readonly number[]> {
  if ((ids === undefined) === (text === undefined)) {
    throw new EngineError("usage", `Give either --${textOption} or --ids.`);
  }
  if (ids === undefined) {
    const { encode } = await model.tokenizer();
    return checkIds([...encode(text as string, { specialTokens: true }).ids], model.vocabSize);
  }
  const words = ids.split(",").map((word) => word.trim());
  const wrong = words.find((word) => !/^\d{1,9}$/.test(word));
  if (wrong !== undefined) {
    throw new EngineError("usage", `--ids has "${wrong}"; it must be whole numbers: 1,2,3.`);
  }
  return checkIds(words.map(Number), model.vocabSize);
}

function checkIds(ids: readonly number[], vocabSize: number | null): readonly number[] {
  const wrong = vocabSize === null ? undefined : ids.find((id) => id >= vocabSize);
  if (wrong !== undefined) {
    throw new EngineError(
      "usage",
      `Token ${wrong} is not in the model's vocabulary of ${vocabSize}.`,
      { id: wrong },
    );
  }
  if (ids.length === 0) throw new EngineError("usage", "There are no tokens to read.");
  return ids;
}

/** Number of an option, within bounds; `usage` otherwise. */
export function readNumber(
  options: Call["options"],
  name: string,
  fallback: number,
  {
    min,
    max,
    whole = false,
  }: { readonly min: number; readonly max: number; readonly whole?: boolean },
): number {
  const text = options[name];
  if (text === undefined) return fallback;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new EngineError(
    "usage",
    `--${name} is "${text}"; it must be ${kind} from ${min} to ${max}.`,
    {
      option: name,
    },
  );
}
