import { describe, expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import {
  type DatasetEntry,
  detectFormat,
  type ReadOptions,
  readDataset,
  summarizeDataset,
} from "./datasets.ts";
import { MAX_ROW_CHARS, readElements } from "./datasetText.ts";
import { readTable } from "./tables.ts";

const encode = (text: string) => bytesInMemory(new TextEncoder().encode(text));

async function readAllOf(
  text: string,
  name: string,
  options: ReadOptions = {},
): Promise<readonly DatasetEntry[]> {
  const entries: DatasetEntry[] = [];
  for await (const entry of readDataset(encode(text), name, options)) entries.push(entry);
  return entries;
}

describe("a text column of the user's choice", () => {
  const TABLES = [
    ["a.csv", 'heading,essay\nA,"one, two"\nB,three\n'],
    ["a.tsv", "heading\tessay\nA\tone, two\nB\tthree\n"],
    ["a.jsonl", '{"heading":"A","essay":"one, two"}\n{"heading":"B","essay":"three"}\n'],
  ] as const;

  test.each(TABLES)("is named among the columns of %s, and read", async (name, text) => {
    const { texts, columns, problems } = await summarizeDataset(encode(text), name);
    expect([texts, columns]).toEqual([0, ["heading", "essay"]]);
    expect(problems[0]?.reason).toContain('its columns are "heading", "essay"');
    expect(await readAllOf(text, name, { textColumn: "essay" })).toEqual([
      { at: 1, row: { kind: "text", text: "one, two", domain: null } },
      { at: 2, row: { kind: "text", text: "three", domain: null } },
    ]);
  });

  test("goes before the known ones, and rows without it are read as usual", async () => {
    const text = '{"text":"a","essay":"b"}\n{"text":"c"}\n{"text":"d","essay":5}\n';
    const read = await readAllOf(text, "a.jsonl", { textColumn: "essay" });
    expect(read).toMatchObject([
      { row: { text: "b" } },
      { row: { text: "c" } },
      { at: 3, problem: "a text column that holds no text" },
    ]);
  });
});

test("turns after the first wait for the answer", async () => {
  const [entry] = await readAllOf(`{"turns":["Q","R"],"category":"writing"}`, "a.jsonl");
  expect(entry).toMatchObject({ at: 1, row: { followUps: ["R"], domain: "writing" } });
});

test("a broken line is named and the others are read", async () => {
  const entries = await readAllOf(`{"text":"a"}\r\n\n{"text":\n{"text":"b"}`, "a.jsonl");
  expect(entries.map((entry) => [entry.at, "problem" in entry ? entry.problem : "row"])).toEqual([
    [1, "row"],
    [3, "no JSON"],
    [4, "row"],
  ]);
});

const HALF = "a text that is no UTF-8, or with half a character (a lone surrogate)";

test("half a character is named, wherever it stands", async () => {
  const said = (content: string) => ({ messages: [{ role: "user", content }] });
  const rows = [{ text: "a\ud800b" }, said("\udc00"), { text: "😀" }];
  const entries = await readAllOf(rows.map((row) => JSON.stringify(row)).join("\n"), "a.jsonl");
  expect(entries.map((entry) => ("problem" in entry ? entry.problem : null))).toEqual([
    HALF,
    HALF,
    null,
  ]);
});

test("bytes that are no UTF-8 are named; a replacement character that was written is text", async () => {
  const chunk = 1 << 20;
  // The last one lies across the border of two chunks.
  const fill = "x".repeat(chunk - 26);
  const text = `{"text":"\ufffd"}\n{"text":"${fill}\ufffd"}\n`;
  const bytes = new TextEncoder().encode(text);
  expect(bytes.subarray(chunk - 2, chunk + 1)).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd));
  const latin = Uint8Array.from([...`{"text":"caf\xe9"}`].map((letter) => letter.charCodeAt(0)));
  const problems = async (...parts: readonly Uint8Array[]) => {
    const source = bytesInMemory(Uint8Array.from(parts.flatMap((part) => [...part])));
    const found: (string | null)[] = [];
    for await (const entry of readDataset(source, "a.jsonl")) {
      found.push("problem" in entry ? entry.problem : null);
    }
    return found;
  };
  expect(await problems(bytes)).toEqual([null, null]);
  const blank = new Uint8Array(chunk).fill("\n".charCodeAt(0));
  expect(await problems(bytes, blank, latin)).toEqual([null, null, HALF]);
  expect(
    await problems(new TextEncoder().encode('{"text":"a"}\n{"text":"'), latin.subarray(12, 13)),
  ).toEqual([null, "no JSON"]);
});

test("a plain text of one line is cut between characters", async () => {
  const text = `a${"😀".repeat(600_000)}`;
  const entries = await readAllOf(text, "a.txt");
  const parts = entries.flatMap((entry) =>
    "row" in entry && entry.row.kind === "text" ? [entry.row.text] : [],
  );
  expect(parts).toHaveLength(2);
  expect(parts.join("")).toBe(text);
});

test("reasons are counted and the first place of each is kept", async () => {
  const summary = await summarizeDataset(encode(`{}\n{"text":"a"}\nx\n{}\n`), "a.jsonl");
  expect(summary).toEqual({
    format: "jsonl",
    texts: 1,
    chats: 0,
    problems: [
      { reason: expect.stringContaining("its columns are none"), count: 2, firstAt: 1 },
      { reason: "no JSON", count: 1, firstAt: 3 },
    ],
    columns: [],
  });
});

test.each([
  ["a list", `[{"text":"a,]}"}, {"text":"b\\"["}]`, "a.json", 2],
  ["an object around a list", `{"version":1,\n"data":[{"text":"a"},{"text":"b"}]}`, "a.json", 2],
  ["one object", `{\n"text":"a"\n}`, "a.json", 1],
  ["lines under the name of JSON", `{"text":"a"}\n{"text":"b"}`, "a.json", 2],
  ["a list of texts", `["a", "b", "c"]`, "a.json", 3],
  ["a list under the name of lines", `[{"text":"a"}]`, "a.jsonl", 1],
  ["documents of plain text", "one\n<|endoftext|>\ntwo<|endoftext|>", "a.txt", 2],
  ["an empty file", "", "a.jsonl", 0],
  ["a byte order mark", `\ufeff{"text":"a"}`, "a.jsonl", 1],
])("%s is read", async (_, text, name, rows) => {
  const entries = await readAllOf(text, name);
  expect(entries.filter((entry) => "row" in entry)).toHaveLength(rows);
  expect(entries).toHaveLength(rows);
});

test("a list is the same however it is cut into chunks", async () => {
  const text = ` [ {"a":"x,\\"]}[{\\\\"}, [1,[2,{}]], "s,]", 5 ,null] `;
  for (let size = 1; size < 12; size++) {
    const elements: unknown[] = [];
    const chunks = async function* () {
      for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
    };
    for await (const piece of readElements(chunks())) elements.push(JSON.parse(piece.text!));
    expect(elements).toEqual([{ a: 'x,"]}[{\\' }, [1, [2, {}]], "s,]", 5, null]);
  }
});

test("a list that breaks off gives its last piece as a problem", async () => {
  const entries = await readAllOf(`[{"text":"a"}, {"text":"b`, "a.json");
  expect(entries.map((entry) => "problem" in entry)).toEqual([false, true]);
});

test("a line that is longer than any context is left out and named", async () => {
  const long = "x".repeat(MAX_ROW_CHARS + 1);
  const entries = await readAllOf(`{"text":"a"}\n"${long}"\n{"text":"b"}`, "a.jsonl");
  expect(entries.map((entry) => ("problem" in entry ? entry.problem.slice(0, 11) : "row"))).toEqual(
    ["row", "longer than", "row"],
  );
});

test("a plain text without marks is cut at lines and stays whole together", async () => {
  const text = `${"word ".repeat(20)}\n`.repeat(30_000);
  const entries = await readAllOf(text, "a.txt");
  const parts = entries.flatMap((entry) =>
    "row" in entry && entry.row.kind === "text" ? [entry.row.text] : [],
  );
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.every((part) => part.endsWith("\n"))).toBe(true);
  expect(parts.join("")).toBe(text);
});

test.each<[string, string, string]>([
  ["a.txt", "\xff\xfea\0", "save it as UTF-8"],
  ["a.zip", "PK\x03\x04", "a ZIP archive: unpack it first"],
  ["a.bz2", "BZh9", "unpack it first"],
  ["a.arrow", "ARROW1\0\0", "save it as Parquet or JSONL"],
  ["a.bin", "GIF89a\0", "no text"],
  ["a.txt", "some text\0", "no text"],
])("%s of other bytes is refused by name, never taken for text", async (name, bytes, reason) => {
  const source = bytesInMemory(Uint8Array.from([...bytes].map((c) => c.charCodeAt(0))));
  await expect(detectFormat(source, name)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining(reason),
  });
});

describe("tables", () => {
  const valuesOf = async (text: string, name: string) =>
    (await readAllOf(text, name)).map((entry) =>
      "row" in entry
        ? entry.row.kind === "text"
          ? entry.row.text
          : entry.row.messages.map(({ content }) => content)
        : `${entry.at}: ${entry.problem}`,
    );

  test("have quotes, line ends and separators inside their fields", async () => {
    const csv = 'id,prompt,completion\r\n1,"He said ""hi"",\r\nand left",Yes\r\n\r\n2,b,"c"';
    expect(await valuesOf(csv, "a.csv")).toEqual([
      ['He said "hi",\r\nand left', "Yes"],
      ["b", "c"],
    ]);
    expect(await valuesOf('text\tid\n"a\tb"\t1\nplain "quoted"\t2\n', "a.tsv")).toEqual([
      "a\tb",
      'plain "quoted"',
    ]);
  });

  test("may hold messages as JSON", async () => {
    const messages = JSON.stringify([
      { role: "user", content: "Q" },
      { role: "assistant", content: "A, B" },
    ]);
    const csv = `messages\n"${messages.replaceAll('"', '""')}"\n`;
    expect(await valuesOf(csv, "a.csv")).toEqual([["Q", "A, B"]]);
  });

  test("of unknown columns say which they have and which are read", async () => {
    const [said] = await valuesOf("body,mark\na,1\n", "a.csv");
    expect(said).toContain('its columns are "body", "mark"; one of these is expected: messages;');
  });

  test("name rows with another number of fields, and fields that are too long", async () => {
    const long = "x".repeat(MAX_ROW_CHARS + 1);
    expect(await valuesOf(`text,id\na\n"${long}",2\nb,3\n`, "a.csv")).toEqual([
      "1: a row with another number of fields than the header",
      `2: longer than ${MAX_ROW_CHARS} characters`,
      "b",
    ]);
  });

  test("are the same however they are cut into chunks", async () => {
    const text = 'a,b\r\n"x""y",1\r\n"",2\r"l\r\nm",3\n,\n';
    const rows = [
      { a: 'x"y', b: "1" },
      { a: "", b: "2" },
      { a: "l\r\nm", b: "3" },
      { a: "", b: "" },
    ];
    for (let size = 1; size < 8; size++) {
      const found: unknown[] = [];
      const chunks = async function* () {
        for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
      };
      for await (const row of readTable(chunks(), ",")) found.push(row.fields);
      expect(found).toEqual(rows);
    }
  });
});

describe("flat trees of messages", () => {
  const row = (id: string, parent: string | null, role: string, rank: number | null) =>
    JSON.stringify({ message_id: id, parent_id: parent, role, text: id, rank });

  test("are put together, in whatever order, along the replies that are ranked first", async () => {
    const lines = [
      row("answer 2", "question", "assistant", 1),
      row("question", null, "prompter", null),
      row("thanks", "answer 1", "prompter", 0),
      row("answer 1", "question", "assistant", 0),
      `{"text":"a text beside them"}`,
      row("lost", "nowhere", "assistant", 0),
    ];
    const entries = await readAllOf(lines.join("\n"), "a.jsonl");
    expect(entries).toMatchObject([
      { at: 5, row: { kind: "text" } },
      {
        at: 2,
        row: {
          messages: [
            { role: "user", content: "question" },
            { role: "assistant", content: "answer 1" },
            { role: "user", content: "thanks" },
          ],
        },
      },
      { at: 6, problem: "a reply to a message that is not in the file" },
    ]);
  });
});
