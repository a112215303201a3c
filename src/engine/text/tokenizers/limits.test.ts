import { describe, expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import { openTokenizer } from "./tokenizer.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz ▁\n0123456789";
const VOCAB = Object.fromEntries([...LETTERS].map((letter, id) => [letter, id]));

async function open(fields: Readonly<Record<string, unknown>>) {
  const json = {
    model: { type: "BPE", vocab: VOCAB, merges: [] },
    decoder: { type: "Fuse" },
    ...fields,
  };
  const file = bytesInMemory(new TextEncoder().encode(JSON.stringify(json)));
  return (await openTokenizer(new Map([["tokenizer.json", file]])))!;
}

const idsOf = async (fields: Readonly<Record<string, unknown>>, text: string) => [
  ...(await open(fields)).encode(text, { specialTokens: false }).ids,
];

const added = (id: number, content: string, flags = {}) => ({
  id,
  content,
  special: true,
  ...flags,
});

describe("added tokens", () => {
  const many = Array.from({ length: 60_000 }, (_, i) => added(100 + i, `a${i}`));

  test("60,000 that begin alike are found at once, the longest first", async () => {
    const text = `${"a".repeat(300_000)}a1234 a59999b`;
    const ids = await idsOf({ added_tokens: many }, text);
    expect(ids.slice(-4)).toEqual([100 + 1234, VOCAB[" "], 100 + 59_999, VOCAB.b]);
    expect(ids).toHaveLength(300_000 + 4);
  });

  test("that take white space along pass it once", async () => {
    const blanks = " ".repeat(200_000);
    for (const flags of [{ rstrip: true }, { lstrip: true }, { lstrip: true, rstrip: true }]) {
      const ids = await idsOf({ added_tokens: [added(100, " ", flags)] }, `${blanks}b`);
      expect(ids.at(-1)).toBe(VOCAB.b);
    }
  });

  test("that are looked for in vain at every place are given up", async () => {
    const token = added(100, `${"a".repeat(1000)}b`);
    const tokenizer = await open({ added_tokens: [token] });
    expect(() => tokenizer.encode("a".repeat(100_000), { specialTokens: false })).toThrow(
      "tokenizer.json: its added tokens take too long",
    );
  });

  test("longer than any real one are refused", async () => {
    await expect(open({ added_tokens: [added(100, "a".repeat(1025))] })).rejects.toThrow(
      "an added token has 1025 characters",
    );
  });
});

describe("normalizers", () => {
  const grow = { type: "Replace", pattern: { String: "a" }, content: "a".repeat(64) };
  const six = { type: "Sequence", normalizers: Array.from({ length: 6 }, () => grow) };

  test("six that make 64 letters of one are refused before they do", async () => {
    for (const text of ["a", "ab".repeat(1000)]) {
      await expect(idsOf({ normalizer: six }, text)).rejects.toMatchObject({
        code: "bad-config",
        message: expect.stringContaining("its normalizers make"),
      });
    }
  });

  test("one that makes 64 letters of one is followed", async () => {
    expect(await idsOf({ normalizer: grow }, "ab")).toHaveLength(65);
  });

  test.each(["normalizer", "pre_tokenizer", "post_processor"])(
    "a %s of too many steps is refused",
    async (part) => {
      const step = {
        normalizer: { type: "Lowercase" },
        pre_tokenizer: { type: "Digits" },
        post_processor: { type: "ByteLevel" },
      }[part];
      const list = Array.from({ length: 20 }, () => step);
      const lists = { normalizers: list, pretokenizers: list, processors: list };
      const twice = { type: "Sequence", ...lists };
      const entry = { ...twice, normalizers: [twice, twice], pretokenizers: [twice, twice] };
      const nested = { ...entry, processors: [twice, twice] };
      await expect(open({ [part]: nested })).rejects.toThrow(`its ${part} has more than 24 steps`);
    },
  );

  test("rows of marks are put in order up to a bound", async () => {
    const tokenizer = await open({ normalizer: { type: "NFC" } });
    const encode = (marks: string) => tokenizer.encode(`a${marks}`, { specialTokens: false });
    expect(encode("\u0301\u0316".repeat(512)).byteLength).toBe(1 + 2 * 1024);
    expect(() => encode("\u0301\u0316".repeat(500_000))).toThrow(
      "1000000 combining marks in a row",
    );
  });
});

describe("patterns", () => {
  const cut = (Regex: string) => ({
    pre_tokenizer: { type: "Split", pattern: { Regex }, behavior: "Isolated" },
  });

  test("that repeat nothing, again and again, are judged at once", async () => {
    const nested = `${"(?:".repeat(12)}${"){16}".repeat(12)}a`;
    await expect(open(cut(nested))).rejects.toThrow("repeats repetitions far too often");
  });

  test("of the square of a text's length are given up, and the next text is read", async () => {
    const tokenizer = await open(cut("[ab]*a*x|[^y]*"));
    const begun = performance.now();
    expect(() => tokenizer.encode("a".repeat(1_000_000), { specialTokens: false })).toThrow(
      "takes too long on this text",
    );
    // Ten seconds, four for the text, and the last trial, on a machine that does nothing else.
    expect(performance.now() - begun).toBeLessThan(60_000);
    expect(tokenizer.encode("ab", { specialTokens: false }).ids).toHaveLength(2);
  }, 90_000);
});
