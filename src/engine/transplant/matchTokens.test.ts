import { expect, test } from "vitest";
import { bytesInMemory } from "../core/bytes.ts";
import { readVocabulary, type Vocabulary } from "../text/tokenizers/vocabulary.ts";
import { matchTokens } from "./matchTokens.ts";

async function vocabularyOf(vocab: Record<string, number>, config: object): Promise<Vocabulary> {
  const file = (value: unknown) => bytesInMemory(new TextEncoder().encode(JSON.stringify(value)));
  const files = new Map([
    ["tokenizer.json", file({ model: { type: "BPE", vocab, merges: [] }, added_tokens: [] })],
    ["tokenizer_config.json", file(config)],
  ]);
  return (await readVocabulary(files))!;
}

test("words' starts, roles and strings are matched across spellings", async () => {
  const own = await vocabularyOf(
    { "<s>": 0, "</s>": 1, "▁the": 2, "▁a": 3, ing: 4, é: 5, spare: 6 },
    { bos_token: "<s>", eos_token: "</s>" },
  );
  const donor = await vocabularyOf(
    { ing: 0, Ġa: 1, Ġthe: 2, the: 3, "<end>": 4, "Ã©": 5, beyond: 9 },
    { eos_token: "<end>", bos_token: null },
  );
  const match = matchTokens(donor, own, { donorRows: 6, ownRows: 6 });
  expect(match.count).toBe(10);
  expect([...match.own]).toEqual([4, 3, 2, -1, 1, -1, -1, -1, -1, -1]);
  expect([...match.added]).toEqual([3, 5]);
  expect(match.texts).toEqual(["the", "Ã©"]);
  expect([...match.shared.donor]).toEqual([0, 1, 2, 4]);
  expect([...match.shared.own]).toEqual([4, 3, 2, 1]);
});
