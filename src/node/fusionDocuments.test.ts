import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DocumentPiece } from "../engine/fuse/dataset/records.ts";
import { documentPieces, RowRefusal } from "../engine/fuse/documents/document.ts";
import { Splitter } from "../engine/fuse/documents/split.ts";
import {
  type DocumentTokenizer,
  openDocumentTokenizer,
  textOf,
  utf8Length,
} from "../engine/fuse/documents/tokenise.ts";
import type { DatasetRow } from "../engine/text/datasets/datasets.ts";
import type { ChatMessage } from "../engine/text/templates/chat.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { createChatTemplate } from "../engine/text/templates/template.ts";
import { openTokenizer, type TextTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

/** Byte-level of 1,024 and 320 tokens, and SentencePiece-like of 2,048. */
const SAMPLES = ["ember-base", "slate-source", "flint-source"];
/** Single characters without bytes to fall back on; Phi-3's; Qwen's; GPT-NeoX's. */
const ZOO = ["models/babyllama-tok105", "tokenizers/phi3_hf", "tokenizers/qwen2_5"];

const opened: { close(): Promise<void> }[] = [];
const tokenizers: TextTokenizer[] = [];
async function open(path: string): Promise<TextTokenizer> {
  const files = await openFiles(path);
  opened.push(files);
  return (await openTokenizer(files.files)) as TextTokenizer;
}
beforeAll(async () => {
  for (const name of SAMPLES) tokenizers.push(await open(join("public", "samples", name)));
  if (!hasTestData) return;
  for (const name of ZOO) tokenizers.push(await open(testDataPath("zoo", ...name.split("/"))));
}, 60_000);
afterAll(() => Promise.all(opened.map(({ close }) => close())));

const readers = () => tokenizers.map((each) => openDocumentTokenizer(each, { begins: true }));

const template = (source: string, ends: readonly string[]) =>
  createChatTemplate(
    { source, file: "t.jinja", tokens: { bos_token: "<s>" }, ends },
    watchTemplates(),
  );
/** Control tokens of its own, and a colon with a space before the words. */
const CHATML = await template(
  "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}",
  ["<|im_end|>"],
);
const PLAIN = await template(
  "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}</s>\n{% endfor %}",
  ["</s>"],
);

const text = (value: string): DatasetRow => ({ kind: "text", text: value, domain: null });
const chat = (...messages: readonly ChatMessage[]): DatasetRow => ({
  kind: "chat",
  domain: null,
  followUps: [],
  messages,
});
const say = (role: string, content: string): ChatMessage => ({ role, content });

async function piecesOf(
  row: DatasetRow,
  pivot: Parameters<typeof documentPieces>[1],
): Promise<readonly DocumentPiece[]> {
  const pieces = await documentPieces(row, pivot);
  if (pieces instanceof RowRefusal) throw new Error(pieces.reason);
  return pieces;
}

/** What must be true of any document in any tokenizer. */
function checkTokens(pieces: readonly DocumentPiece[], reader: DocumentTokenizer): void {
  const { tokens, supervised } = reader.tokenise(pieces);
  const whole = textOf(pieces);
  expect(tokens.ids.length).toBe(tokens.ends.length);
  expect(supervised.length).toBe(tokens.ids.length);
  expect(tokens.ends.at(-1) ?? 0).toBe(utf8Length(whole));
  let [at, before] = [0, 0];
  const borders = pieces.map((piece) => (at += utf8Length(piece.text)));
  const ends = new Set(tokens.ends);
  for (const end of tokens.ends) {
    expect(end).toBeGreaterThanOrEqual(before);
    before = end;
  }
  // No token lies across a border, and each is learned with its piece.
  for (const border of borders.slice(0, -1)) expect(ends.has(border) || border === 0).toBe(true);
  for (const [i, end] of tokens.ends.entries()) {
    const start = i === 0 ? 0 : tokens.ends[i - 1]!;
    if (end === start) continue;
    const piece = pieces[borders.findIndex((border) => start < border)];
    expect(supervised[i]).toBe(piece?.supervised ? 1 : 0);
  }
}

const characters = fc.oneof(
  fc.constantFrom(
    " ",
    "\n",
    "é",
    "が",
    "👩‍👩‍👧",
    "ﷺ",
    "</s>",
    "<s>",
    "<|im_end|>",
    "\u0000",
    "▁",
    "Ġ",
  ),
  fc.constantFrom("a", "the ", " of", "1", ".", "word", "\ud800"),
  fc.string({ unit: "grapheme", maxLength: 4 }),
);
const anyText = fc.array(characters, { minLength: 1, maxLength: 40 }).map((list) => list.join(""));
const anyPieces = fc.array(
  fc.record({
    kind: fc.constantFrom("text" as const, "text" as const, "control" as const, "end" as const),
    text: anyText.map((value) => value.toWellFormed()),
    supervised: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

test("any pieces are read without a token across their borders", () => {
  fc.assert(
    fc.property(anyPieces, (pieces) => {
      for (const reader of readers()) checkTokens(pieces, reader);
    }),
    { seed: 4, numRuns: 60 },
  );
}, 60_000);

const noPause = async () => undefined;

test(
  "any document is cut into parts that fit every model, and no byte is lost or repeated",
  () =>
    fc.assert(
      fc.asyncProperty(anyPieces, fc.integer({ min: 40, max: 80 }), async (some, limit) => {
        const pieces = some.flatMap((each) => [each, each, each]);
        const splitter = new Splitter(readers(), limit);
        const { parts, unsplittable } = await splitter.split(pieces, noPause);
        expect(parts.map(textOf).join("")).toBe(textOf(pieces));
        expect(parts.flat().filter(({ text: value }) => value !== value.toWellFormed())).toEqual(
          [],
        );
        expect(unsplittable).toBe(0);
        for (const part of parts) {
          for (const reader of readers()) {
            expect(reader.tokenise(part).tokens.ids.length).toBeLessThanOrEqual(limit);
            checkTokens(part, reader);
          }
        }
        const learned = (list: readonly DocumentPiece[]) =>
          textOf(list.filter(({ supervised }) => supervised));
        expect(learned(parts.flat())).toBe(learned(pieces));
      }),
      { seed: 5, numRuns: 25 },
    ),
  60_000,
);

test("prose is cut before spaces, where tokens of all models end", {
  timeout: 60_000,
}, async () => {
  const [ember, slate, flint] = readers() as [
    DocumentTokenizer,
    DocumentTokenizer,
    DocumentTokenizer,
  ];
  const prose = "The prince looked at the long road and said nothing to his men. ".repeat(30);
  const [pieces, splitter] = [
    await piecesOf(text(prose), { tokenizer: tokenizers[0] as TextTokenizer, template: null }),
    new Splitter([ember, slate, flint], 128),
  ];
  const { parts, cut } = await splitter.split(pieces, noPause);
  expect(cut).toBe(1);
  expect(parts.length).toBeGreaterThan(6);
  for (const part of parts.slice(1)) expect(textOf(part)).toMatch(/^ \S/);
  // Blocks are well filled: a word is never more than 12 tokens here.
  for (const part of parts.slice(0, -1)) {
    expect(slate.tokenise(part).tokens.ids.length).toBeGreaterThan(128 - 13);
  }
  expect(parts.at(-1)?.at(-1)).toEqual({ kind: "end", text: "</s>", supervised: true });
  // However the text's length falls, its end is never left alone.
  for (let limit = 40; limit < 46; limit++) {
    const { parts: short } = await new Splitter([ember, slate, flint], limit).split(
      pieces,
      noPause,
    );
    const last = short.at(-1);
    expect(last?.map(({ kind }) => kind)).toEqual(["text", "end"]);
  }
});

describe("a chat", () => {
  const messages = [
    say("system", "Be kind."),
    say("user", "Who are you?"),
    say("assistant", "Nobody."),
    say("user", "Oh"),
    say("assistant", "Yes, é."),
  ];
  test("is learned where the assistant speaks, and where its turn ends", async () => {
    const pivot = { tokenizer: tokenizers[0] as TextTokenizer, template: PLAIN };
    const pieces = await piecesOf(chat(...messages), pivot);
    // The token that begins a text is every model's own business.
    expect(textOf(pieces)).toBe(
      (await PLAIN.renderChat(messages, { addGenerationPrompt: false })).slice(3),
    );
    expect(pieces.filter(({ supervised }) => supervised)).toEqual([
      { kind: "text", text: " Nobody.", supervised: true },
      { kind: "end", text: "</s>", supervised: true },
      { kind: "text", text: " Yes, é.", supervised: true },
      { kind: "end", text: "</s>", supervised: true },
    ]);
    expect(pieces.filter(({ kind }) => kind === "end")).toHaveLength(5);
    for (const reader of readers()) {
      checkTokens(pieces, reader);
      const { tokens, supervised } = reader.tokenise(pieces);
      const ids = [...tokens.ids];
      // Each of our sample models ends its turns with its own </s>.
      if (reader === readers()[0]) expect(ids.filter((id) => id === 2)).toHaveLength(5);
      expect(supervised.includes(1)).toBe(true);
    }
  });

  test.skipIf(!hasTestData)("has control tokens that only the pivot reads as one", async () => {
    const [ember, , , , , qwen] = tokenizers as readonly TextTokenizer[];
    const pieces = await piecesOf(chat(...messages), { tokenizer: qwen!, template: CHATML });
    expect(pieces.map(({ kind }) => kind).slice(0, 5)).toEqual([
      "text",
      "control",
      "text",
      "end",
      "text",
    ]);
    const own = openDocumentTokenizer(qwen!, { begins: true }).tokenise(pieces);
    // <|im_start|> and <|im_end|>.
    expect(own.tokens.ids.filter((id) => id === 151_644)).toHaveLength(5);
    expect(own.tokens.ids.filter((id) => id === 151_645)).toHaveLength(5);
    const other = openDocumentTokenizer(ember!, { begins: true }).tokenise(pieces);
    expect([...other.tokens.ids].filter((id) => id === ember!.eosId)).toHaveLength(5);
    const words = (ids: Iterable<number>) => ember!.decode(ids, { skipSpecial: true });
    expect(words(other.tokens.ids)).toContain("<|im_start|>assistant");
  });

  test("is cut between its exchanges", async () => {
    const pivot = { tokenizer: tokenizers[0] as TextTokenizer, template: PLAIN };
    const long = Array.from({ length: 20 }, (_, i) => [
      say("user", `What is ${i} and ${i}?`),
      say("assistant", `It is ${2 * i}.`),
    ]).flat();
    const pieces = await piecesOf(chat(...long), pivot);
    const { parts, cut } = await new Splitter(readers(), 150).split(pieces, noPause);
    expect(cut).toBe(0);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect(textOf(part)).toMatch(/^\n?user: What/);
    expect(parts.map(textOf).join("")).toBe(textOf(pieces));
  });
});

test.each([
  ["no template", chat(say("assistant", "Hi")), null, /no chat template/],
  ["no answer", chat(say("user", "Hi")), PLAIN, /says nothing/],
  ["an empty reply", chat(say("user", "Hi"), say("assistant", " ")), PLAIN, /empty message/],
  ["an unknown role", chat(say("x", "Hi"), say("assistant", "a")), "roles", /only users/],
])("a chat with %s is refused by name", async (_, row, written, reason) => {
  const picky = await template("{{ raise_exception('only users') }}", []);
  const refusal = await documentPieces(row, {
    tokenizer: tokenizers[0] as TextTokenizer,
    template: written === "roles" ? picky : (written as typeof PLAIN | null),
  });
  expect(refusal).toBeInstanceOf(RowRefusal);
  expect((refusal as RowRefusal).reason).toMatch(reason);
});

test("FuseChat's profiles leave out a first turn that is not the user's, and want turns", async () => {
  const pivot = { tokenizer: tokenizers[0] as TextTokenizer, template: PLAIN };
  const inTurns = { inTurns: true };
  const [ask, answer] = [say("user", "Hi"), say("assistant", "Ho")];
  const greeted = chat(say("system", "S"), say("assistant", "Welcome"), ask, answer);
  const whole = await documentPieces(chat(say("system", "S"), ask, answer), pivot);
  expect(await documentPieces(greeted, pivot, inTurns)).toEqual(whole);
  expect(await documentPieces(greeted, pivot)).not.toEqual(whole);
  for (const row of [chat(ask, ask, answer), chat(ask, answer, answer), chat(answer, answer)]) {
    expect(await documentPieces(row, pivot, inTurns)).toMatchObject({
      reason: "a chat in which user and assistant do not take turns",
    });
    expect(await documentPieces(row, pivot)).not.toBeInstanceOf(RowRefusal);
  }
});

test("a text of 600,000 characters makes documents", async () => {
  const pivot = { tokenizer: tokenizers[0] as TextTokenizer, template: null };
  const long = await piecesOf(text("It was a very, very long day. ".repeat(20_000)), pivot);
  const { parts } = await new Splitter(readers().slice(0, 1), 2048).split(long, noPause);
  expect(parts.length).toBeGreaterThan(80);
  expect(parts.reduce((sum, part) => sum + textOf(part).length, 0)).toBe(30 * 20_000 + 4);
}, 120_000);
