import { expect, test } from "vitest";
import { parseConfig, rewriteConfig } from "./config.ts";

const FOUR = `{
  "architectures": [
    "LlamaForCausalLM"
  ],
  "hidden_size": 64,
  "model_type": "llama",
  "num_hidden_layers": 5,
  "rms_norm_eps": 1e-05,
  "rope_theta": 10000.0,
  "tie_word_embeddings": true,
  "torch_dtype": "float32",
  "transformers_version": "4.44.2",
  "vocab_size": 512
}
`;
const FIVE = `{
  "dtype": "bfloat16",
  "model_type": "llama",
  "rope_parameters": {
    "rope_theta": 10000.0,
    "rope_type": "default"
  },
  "transformers_version": "5.17.0"
}`;
const NESTED = `{
  "architectures": ["Gemma3ForConditionalGeneration"],
  "model_type": "gemma3",
  "text_config": {"dtype": "bfloat16", "num_hidden_layers": 26, "vocab_size": 262208},
  "vision_config": {"num_hidden_layers": 27, "dtype": "bfloat16"}
}`;

test("the facts are found under the names of each family", () => {
  const { fields, text, ...facts } = parseConfig(FOUR, "config.json");
  expect(facts).toEqual({
    architecture: "LlamaForCausalLM",
    modelType: "llama",
    layers: 5,
    vocabSize: 512,
    hiddenSize: 64,
    tied: true,
  });
  expect(text).toBe(FOUR);
  expect(fields).toHaveProperty("rope_theta", 10000);
  const gpt2 = '{"model_type":"gpt2","n_layer":3,"n_embd":48,"vocab_size":3}';
  expect(parseConfig(gpt2, "config.json")).toMatchObject({ layers: 3, hiddenSize: 48, tied: true });
});

test("a text_config inside is looked into, a vision_config is not", () => {
  const { layers, vocabSize, architecture, tied } = parseConfig(NESTED, "config.json");
  expect({ layers, vocabSize, architecture, tied }).toEqual({
    layers: 26,
    vocabSize: 262208,
    architecture: "Gemma3ForConditionalGeneration",
    tied: true,
  });
});

test("an unstated head is untied for Llama, and nothing is invented for an empty document", () => {
  expect(parseConfig('{"model_type":"llama"}', "config.json").tied).toBe(false);
  expect(parseConfig("{}", "config.json")).toMatchObject({ layers: null, architecture: null });
});

test.each([
  ["a missing comma", '{\n  "a": 1\n  "b": 2\n}', "line 3, column 3"],
  ["a list", "[]", "JSON object"],
  ["layers that are a word", '{"num_hidden_layers": "five"}', "num_hidden_layers"],
  ["a negative vocabulary", '{"vocab_size": -1}', "vocab_size"],
])("refuses %s", (_, text, says) => {
  expect(() => parseConfig(text, "x/config.json")).toThrow(
    expect.objectContaining({ code: "bad-config", message: expect.stringContaining(says) }),
  );
});

test("without changes every character stays", () => {
  for (const text of [FOUR, FIVE, NESTED]) expect(rewriteConfig(text, {})).toBe(text);
});

test("only the stated values change, in the spelling that is there", () => {
  expect(rewriteConfig(FOUR, { dtype: "BF16", vocabSize: 9, tied: false })).toBe(
    FOUR.replace('"float32"', '"bfloat16"').replace("512", "9").replace("true", "false"),
  );
  expect(rewriteConfig(FIVE, { dtype: "F16" })).toBe(FIVE.replace("bfloat16", "float16"));
});

test("in a nested config the language model's own facts change", () => {
  expect(rewriteConfig(NESTED, { dtype: "F32", vocabSize: 7 })).toBe(
    NESTED.replace(
      '"bfloat16", "num_hidden_layers": 26, "vocab_size": 262208',
      '"float32", "num_hidden_layers": 26, "vocab_size": 7',
    ),
  );
});

test("what is stated nowhere is added at the end, as the config's own transformers spells it", () => {
  expect(rewriteConfig(FIVE, { tied: true })).toBe(
    FIVE.replace('"5.17.0"', '"5.17.0",\n  "tie_word_embeddings": true'),
  );
  expect(JSON.parse(rewriteConfig("{}", { dtype: "F16", vocabSize: 3 }))).toEqual({
    torch_dtype: "float16",
    vocab_size: 3,
  });
  const five = '{\n  "transformers_version": "5.0.0"\n}';
  expect(JSON.parse(rewriteConfig(five, { dtype: "F16" }))).toHaveProperty("dtype", "float16");
});

test("a value that holds the key's name is not mistaken for the key", () => {
  const text = '{"note": "torch_dtype", "deep": {"torch_dtype": "x"}, "torch_dtype": "float32"}';
  expect(rewriteConfig(text, { dtype: "F16" })).toBe(text.replace("float32", "float16"));
});

test("Infinity and NaN are numbers, and stay in the text as they stand", () => {
  const text =
    '{\n  "time_step_limit": [0.0, Infinity],\n  "floor": -Infinity,\n  "x": NaN,\n  "torch_dtype": "float32"\n}';
  const { fields } = parseConfig(text, "config.json");
  expect(fields).toMatchObject({ time_step_limit: [0, Infinity], floor: -Infinity, x: Number.NaN });
  expect(rewriteConfig(text, { dtype: "BF16" })).toBe(text.replace("float32", "bfloat16"));
});

test.each([
  [
    "first",
    '{\n  "quantization_config": {"a": [1, {"b": 2}]},\n  "vocab_size": 3\n}',
    '{\n  "vocab_size": 3\n}',
  ],
  ["last", '{\n  "vocab_size": 3,\n  "quantization_config": {}\n}', '{\n  "vocab_size": 3\n}'],
  ["alone", '{"quantization_config": null}', "{}"],
  ["two", '{"compression_config":{}, "x":1e-05, "quantization_config":{}}', '{"x":1e-05}'],
  ["inside", '{"text_config": {"x": 1, "quantization_config": {}}}', '{"text_config": {"x": 1}}'],
  ["elsewhere", '{"a": {"quantization_config": 1}}', '{"a": {"quantization_config": 1}}'],
])("what is said of a quantisation goes: %s", (_, text, rest) => {
  expect(rewriteConfig(text, {})).toBe(rest);
});
