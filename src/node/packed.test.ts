import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bytesInMemory } from "../engine/core/bytes.ts";
import { detectFormat, readDataset, readWholeText } from "../engine/text/datasets/datasets.ts";
import { openUnpacked } from "../engine/text/datasets/packed.ts";
import { ZstdFrames } from "../engine/text/datasets/zstdFrames.ts";

/** Two frames or members each, as pyarrow packs them (interop/parquetFixtures.py). */
const fixture = (ending: string) =>
  new Uint8Array(
    readFileSync(new URL(`../../goldens/datasets/lines.jsonl.${ending}`, import.meta.url)),
  );

async function textsOf(bytes: Uint8Array, name: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const entry of readDataset(bytesInMemory(bytes), name)) {
    texts.push(
      "row" in entry && entry.row.kind === "text" ? entry.row.text : JSON.stringify(entry),
    );
  }
  return texts;
}

test.each(["gz", "zst"])(
  "lines that are packed as .%s are read, all frames of them",
  async (ending) => {
    const texts = await textsOf(fixture(ending), `lines.jsonl.${ending}`);
    expect(texts).toEqual(Array.from({ length: 2000 }, (_, i) => `Line ${i} é🦙`));
  },
);

/** Frames as zstd 1.5.4 packs them: with a checksum, without one (--no-check), and with one (-19). */
const FRAMES = [
  "28b52ffd04587900007b2274657874223a226f6e65227d0aad5403f5",
  "28b52ffd0058bd0000887b2274657874223a2274776f2c20227d0a0100f08a12",
  "28b52ffd04688900007b2274657874223a227468726565227d0ab6b8a3c4",
] as const;
/** A frame of four bytes that decoders skip. */
const SKIPPED = "502a4d18040000000badf00d";

describe("frames of Zstandard", () => {
  const [one, two, three] = FRAMES;
  const join = (...frames: readonly string[]) =>
    new Uint8Array(Buffer.from(frames.join(""), "hex"));

  test("are read in order, some with a checksum and some to be skipped", async () => {
    const bytes = join(SKIPPED, one, SKIPPED, two, three, SKIPPED);
    expect(await textsOf(join(one, SKIPPED, two, three, SKIPPED), "a.jsonl.zst")).toEqual([
      "one",
      "two, two, two, two, two",
      "three",
    ]);
    const frames = new ZstdFrames();
    const pieces = [...bytes].flatMap((byte) => frames.split(Uint8Array.of(byte)));
    frames.finish();
    const given = pieces.flatMap(({ bytes: part }) => [...part]);
    expect(Buffer.from(given).toString("hex")).toBe(one + two + three);
    const checksums = pieces.filter(({ ends }) => ends).map(({ checksum }) => checksum !== null);
    expect(checksums).toEqual([true, false, true]);
  });

  test.each([0, 2])("of another checksum are refused, frame %i", async (damaged) => {
    const frames = FRAMES.map((frame, i) => {
      const bytes = Buffer.from(frame, "hex");
      if (i === damaged) bytes[bytes.length - 1]! ^= 1;
      return bytes.toString("hex");
    });
    await expect(textsOf(join(...frames), "a.jsonl.zst")).rejects.toMatchObject({
      code: "bad-header",
      message: expect.stringContaining("its checksum is another"),
    });
  });

  test("without an end are refused", async () => {
    await expect(textsOf(join(one, two.slice(0, -8)), "a.jsonl.zst")).rejects.toThrow("no end");
  });
});

test("the name within tells the format", async () => {
  const pack = (text: string) => bytesInMemory(new Uint8Array(gzipSync(text)));
  expect(await detectFormat(pack("text\na\n"), "a.csv.gz")).toBe("csv");
  expect(await detectFormat(pack("# A"), "a.md.gz")).toBe("text");
  expect(await readWholeText(pack("# A"), "a.md.gz")).toBe("# A");
  await expect(detectFormat(pack("PAR1"), "a.parquet.gz")).rejects.toThrow("unpack it first");
  await expect(detectFormat(pack("PK\x03\x04"), "a.gz")).rejects.toThrow("a ZIP archive");
});

test.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([
  ["gz", "cut short", (bytes) => bytes.subarray(0, -20)],
  ["zst", "cut short", (bytes) => bytes.subarray(0, -20)],
  ["gz", "of another checksum", (bytes) => bytes.with(bytes.length - 6, bytes.at(-6)! ^ 1)],
  [
    "gz",
    "of a damaged checksum within",
    (bytes) => bytes.map((b, i) => (i === firstTrailer(bytes) ? b ^ 1 : b)),
  ],
  [
    "zst",
    "with something between its frames",
    (bytes) => Uint8Array.from([...bytes, ...bytes.subarray(1)]),
  ],
])("a .%s file that is %s is refused", async (ending, _, damage) => {
  const bytes = damage(fixture(ending));
  await expect(textsOf(bytes, `lines.jsonl.${ending}`)).rejects.toMatchObject({
    code: "bad-header",
    message: expect.stringContaining("cannot be unpacked"),
  });
});

/** The last byte of the first member's checksum: eight bytes before the second begins. */
function firstTrailer(bytes: Uint8Array): number {
  const second = bytes.findIndex(
    (byte, i) => i > 0 && byte === 0x1f && bytes[i + 1] === 0x8b && bytes[i + 2] === 8,
  );
  return second - 5;
}

test("a bomb is given up at a bound", async () => {
  // 300 MiB of zeros in 300 KiB, packed once more.
  const zeros = gzipSync(Buffer.alloc(300 << 20), { level: 9 });
  const bomb = bytesInMemory(new Uint8Array(gzipSync(zeros, { level: 9 })));
  const inner = await openUnpacked(bomb, "a.txt.gz.gz");
  const parts: Uint8Array[] = [];
  for await (const part of inner.read()) parts.push(part);
  const packed = bytesInMemory(new Uint8Array(Buffer.concat(parts)));
  const read = async (source: typeof bomb) => {
    let bytes = 0;
    for await (const part of (await openUnpacked(source, "a.gz")).read()) bytes += part.byteLength;
    return bytes;
  };
  expect(await read(packed)).toBe(300 << 20); // 1,000 times as large, and 64 MiB
  const rle = bytesInMemory(repeatedBlocks(10_000));
  await expect(read(rle)).rejects.toMatchObject({ code: "usage" });
}, 60_000);

/** A frame of Zstandard with blocks of 128 KiB that are one byte each (RFC 8878, 3.1.1.2). */
function repeatedBlocks(count: number): Uint8Array<ArrayBuffer> {
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]; // a window of 2 MiB
  const size = 128 << 10;
  const blocks = Array.from({ length: count }, (_, i) => {
    const block = (size << 3) | (1 << 1) | (i === count - 1 ? 1 : 0);
    return [block & 0xff, (block >> 8) & 0xff, block >> 16, 0x61];
  });
  return Uint8Array.from([...header, ...blocks.flat()]);
}

test("a window that no decoder should hold is refused", async () => {
  // 2^(10 + 20) bytes.
  const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 1, 0, 0);
  await expect(textsOf(frame, "a.zst")).rejects.toThrow("a window of 1073741824 bytes");
});
