import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readHeader } from "../engine/checkpoint/formats/safetensors/header.ts";
import type { ErrorCode } from "../engine/contract/index.ts";
import { bytesInMemory } from "../engine/core/bytes.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

/** What the reference implementation calls it → what we call it. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  HeaderTooSmall: "truncated",
  HeaderTooLarge: "bad-header",
  InvalidHeaderLength: "truncated",
  InvalidHeader: "bad-header",
  InvalidHeaderDeserialization: "bad-header",
  TensorInvalidInfo: "bad-shape",
  ValidationOverflow: "bad-shape",
  InvalidOffset: "bad-offsets",
  MetadataIncompleteBuffer: "bad-offsets",
};
/** Where our codes tell more: this one has too few bytes, its sister too many. */
const FINER: Readonly<Record<string, ErrorCode>> = {
  "metadata_incomplete_buffer_2.safetensors": "truncated",
};

const FIXTURES = ["zoo", "fixtures"] as const;
const list = (folder: string) =>
  hasTestData ? readdirSync(testDataPath(...FIXTURES, folder)) : [];
const open = (folder: string, file: string) =>
  readHeader(bytesInMemory(readFileSync(testDataPath(...FIXTURES, folder, file))), file);

describe.skipIf(!hasTestData)("the reference implementation's own test files", () => {
  test.each(list("safetensors_hostile"))("%s is refused with its code", async (file) => {
    const table: Record<string, { reject: string }> = JSON.parse(
      readFileSync(testDataPath(...FIXTURES, "safetensors_expected.json"), "utf8"),
    );
    const upstream = table[`safetensors_hostile/${file}`]!.reject;
    const code = FINER[file] ?? CODES[upstream]!;
    await expect(open("safetensors_hostile", file)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(file),
      details: { file },
    });
  });

  test.each(list("safetensors_valid"))("%s is read", async (file) => {
    const { tensors, headerByteLength } = await open("safetensors_valid", file);
    const bytes = readFileSync(testDataPath(...FIXTURES, "safetensors_valid", file)).byteLength;
    const last = tensors.at(-1);
    expect(last ? last.start + last.byteLength : headerByteLength).toBe(bytes);
  });

  test("all of them are here", () => {
    expect(list("safetensors_hostile")).toHaveLength(13);
    expect(list("safetensors_valid")).toHaveLength(11);
  });
});
