import { clip, isObject } from "../../core/json.ts";
import { refuseTokenizer } from "../patterns/pattern.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Defaults that a tokenizer class adds to vocab.json and merges.txt. */
interface TokenizerClass {
  /** Special tokens by role, where the other files name none. */
  readonly roles: Readonly<Record<string, string | null>>;
  /** `normalizer`, `pre_tokenizer` and `post_processor` in tokenizer.json's form. */
  readonly steps: (options: {
    readonly addPrefixSpace: boolean;
    idOf(role: string): readonly [name: string, id: number];
  }) => Fields;
}

const END = "<|endoftext|>";

const GPT2: TokenizerClass = {
  roles: { bos_token: END, eos_token: END, unk_token: END },
  steps: ({ addPrefixSpace }) => ({
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: addPrefixSpace },
  }),
};

const ROBERTA: TokenizerClass = {
  roles: {
    bos_token: "<s>",
    eos_token: "</s>",
    sep_token: "</s>",
    cls_token: "<s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    mask_token: "<mask>",
  },
  steps: ({ addPrefixSpace, idOf }) => ({
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: addPrefixSpace },
    post_processor: templateOf([idOf("cls_token")], [idOf("sep_token")]),
  }),
};

const QWEN2_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const QWEN2: TokenizerClass = {
  roles: { bos_token: null, eos_token: END, unk_token: END, pad_token: END },
  steps: ({ addPrefixSpace }) => ({
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: QWEN2_PATTERN }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: addPrefixSpace, use_regex: false },
      ],
    },
  }),
};

/** Defaults by `tokenizer_class` without "Fast", as transformers 5 has them. */
const CLASSES: Readonly<Record<string, TokenizerClass>> = {
  GPT2Tokenizer: GPT2,
  CodeGenTokenizer: GPT2,
  RobertaTokenizer: ROBERTA,
  BartTokenizer: ROBERTA,
  LongformerTokenizer: ROBERTA,
  Qwen2Tokenizer: QWEN2,
};

/** Tokenizer of a checkpoint without tokenizer.json, in the form of its files. */
export interface RebuiltTokenizer {
  /** tokenizer.json. */
  readonly tokenizer: Fields;
  /** tokenizer_config.json, with the class's default special tokens. */
  readonly config: Fields;
}

/**
 * Byte-level BPE from vocab.json (token to id) and merges.txt, with the steps and special tokens of
 * the class that tokenizer_config.json names (GPT-2's where it names none). `special` is
 * special_tokens_map.json. `bad-config` for classes whose code does something else.
 */
export function tokenizerFromVocabAndMerges(files: {
  readonly vocab: Fields;
  readonly merges: string;
  readonly config: Fields;
  readonly special: Fields;
}): RebuiltTokenizer {
  const named = String(files.config.tokenizer_class ?? "GPT2Tokenizer").replace(/Fast$/, "");
  const known = Object.hasOwn(CLASSES, named) ? CLASSES[named] : undefined;
  if (!known) {
    const all = Object.keys(CLASSES).join(", ");
    return refuseTokenizer(
      `there is no tokenizer.json, and how ${clip(named)} reads vocab.json and merges.txt is not known (${all} are); save it once with transformers, which writes tokenizer.json`,
      "tokenizer_config.json",
    );
  }
  const config: Fields = { ...known.roles, ...files.special, ...files.config };
  const idOf = (role: string) => {
    const name = contentOf(config[role]) ?? known.roles[role] ?? "";
    const id = Object.hasOwn(files.vocab, name) ? files.vocab[name] : undefined;
    return typeof id === "number"
      ? ([name, id] as const)
      : refuseTokenizer(`the ${role} ${clip(name)} has no id`, "vocab.json");
  };
  const steps = known.steps({ addPrefixSpace: config.add_prefix_space === true, idOf });
  const adds = (role: "bos" | "eos") =>
    config[`add_${role}_token`] === true ? [idOf(`${role}_token`)] : [];
  const around = templateOf(adds("bos"), adds("eos"));
  const tokenizer: Fields = {
    post_processor: around,
    ...steps,
    model: { type: "BPE", vocab: files.vocab, merges: readMerges(files.merges) },
    decoder: { type: "ByteLevel" },
    added_tokens: specialTokens(known, config, files.vocab),
  };
  return { tokenizer, config };
}

function readMerges(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#version"));
}

/** Post-processor that puts tokens around a text. */
function templateOf(
  before: readonly (readonly [string, number])[],
  after: readonly (readonly [string, number])[],
): Fields | null {
  const both = [...before, ...after];
  if (both.length === 0) return null;
  const place = ([id]: readonly [string, number]) => ({ SpecialToken: { id, type_id: 0 } });
  return {
    type: "TemplateProcessing",
    single: [...before.map(place), { Sequence: { id: "A", type_id: 0 } }, ...after.map(place)],
    special_tokens: Object.fromEntries(both.map(([name, id]) => [name, { ids: [id] }])),
  };
}

/** Special tokens with an id that the other files do not describe. */
function specialTokens(
  { roles }: TokenizerClass,
  config: Fields,
  vocab: Fields,
): readonly Fields[] {
  const decoder = isObject(config.added_tokens_decoder) ? config.added_tokens_decoder : {};
  const described = new Set(Object.values(decoder).map(contentOf));
  const contents = new Set(Object.keys(roles).map((role) => contentOf(config[role])));
  return [...contents].flatMap((content) =>
    content !== null && !described.has(content) && Object.hasOwn(vocab, content)
      ? [{ id: vocab[content], content, special: true }]
      : [],
  );
}

function contentOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return isObject(value) && typeof value.content === "string" ? value.content : null;
}
