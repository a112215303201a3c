import { isObject } from "../../core/json.ts";
import type { TokenizerFiles } from "./tokenizerFiles.ts";

type Roles = Readonly<Record<string, string>>;

const END = "<|endoftext|>";
const QWEN2: Roles = { unk: END, eos: END, pad: END };
const SENTENCEPIECE: Roles = { unk: "<unk>", bos: "<s>", eos: "</s>" };
const BERT: Roles = { unk: "[UNK]", sep: "[SEP]", pad: "[PAD]", cls: "[CLS]", mask: "[MASK]" };
const ROBERTA: Roles = {
  ...SENTENCEPIECE,
  sep: "</s>",
  cls: "<s>",
  pad: "<pad>",
  mask: "<mask>",
};

/** Special tokens that a class of transformers 5 has where the files do not name them. */
const BY_CLASS: Readonly<Record<string, Roles>> = {
  Qwen2Tokenizer: QWEN2,
  Qwen3_5Tokenizer: QWEN2,
  GPT2Tokenizer: { unk: END, bos: END, eos: END },
  GPTNeoXTokenizer: { unk: END, bos: END, eos: END, pad: "<|padding|>" },
  LlamaTokenizer: SENTENCEPIECE,
  GemmaTokenizer: { unk: "<unk>", bos: "<bos>", eos: "<eos>", pad: "<pad>", mask: "<mask>" },
  T5Tokenizer: { unk: "<unk>", eos: "</s>", pad: "<pad>" },
  BertTokenizer: BERT,
  DistilBertTokenizer: BERT,
  RobertaTokenizer: ROBERTA,
  XLMRobertaTokenizer: ROBERTA,
  BartTokenizer: ROBERTA,
};

/**
 * Default special tokens of the class that transformers 5 reads these files with: Qwen2's for every
 * Qwen model, whatever class is named, and none where it leaves a SentencePiece class for a byte-level
 * tokenizer.json.
 */
export function classRoles({ tokenizer, config }: TokenizerFiles, modelType: unknown): Roles {
  if (/^qwen[23]/.test(String(modelType))) return QWEN2;
  const name = String(config.tokenizer_class ?? "").replace(/Fast$/, "");
  const roles = Object.hasOwn(BY_CLASS, name) ? BY_CLASS[name]! : {};
  const { decoder } = tokenizer;
  const isByteLevel = isObject(decoder) && decoder.type === "ByteLevel";
  return isByteLevel && roles === SENTENCEPIECE ? {} : roles;
}
