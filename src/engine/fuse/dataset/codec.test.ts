import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineError } from "../../contract/index.ts";
import { decodeFused, decodeRepresentation, encodeFused, encodeRepresentation } from "./codec.ts";
import { makeRecord } from "./testRecords.ts";

test.each([
  ["of small vocabularies", { seed: 1 }],
  ["of a vocabulary above u16", { seed: 2, vocabSize: 150_000, k: 10 }],
  ["of one token", { seed: 3, tokens: 1, sources: ["one"] }],
  ["without sources", { seed: 4, sources: [] }],
  ["with five sources", { seed: 5, sources: ["a", "b", "c", "d", "ä €"], domain: "tales" }],
  ["whose text begins with U+FEFF", { seed: 6, text: "\uFEFFÅ \u{1F600} text" }],
])("a fused record %s comes back the same, from the same bytes", (_, shape) => {
  const record = makeRecord(shape);
  const bytes = encodeFused(record);
  expect(decodeFused(bytes)).toEqual(record);
  expect(encodeFused(decodeFused(bytes))).toEqual(bytes);
  expect(encodeFused(makeRecord(shape))).toEqual(bytes);

  const said = encodeRepresentation(record.pivot);
  expect(decodeRepresentation(said)).toEqual(record.pivot);
});

test("values that f16 does not hold are kept whole, NaN too", () => {
  const record = makeRecord({ seed: 7 });
  const logits = record.pivot.logits.map((value) => value + 1e-5);
  const goldNats = record.pivot.goldNats.map((value, i) => (i === 1 ? Number.NaN : value));
  const changed = { ...record.pivot, logits, goldNats };
  expect(decodeRepresentation(encodeRepresentation(changed))).toEqual(changed);
});

test("a representation row of ten entries takes some 50 bytes", () => {
  const { pivot } = makeRecord({ seed: 8, tokens: 2000, k: 10, vocabSize: 32_000 });
  const perRow = encodeRepresentation(pivot).byteLength / pivot.positions.length;
  expect(perRow).toBeLessThan(40 + 1 + 8 + 5); // entries, position, two floats, tokens
});

test("a record cut anywhere is refused by name", () => {
  const bytes = encodeFused(makeRecord({ seed: 9, tokens: 5 }));
  for (let length = 0; length < bytes.byteLength; length++) {
    expect(() => decodeFused(bytes.slice(0, length))).toThrow(EngineError);
  }
  expect(() => decodeFused(new Uint8Array([...bytes, 0]))).toThrow("1 bytes too many");
  expect(() => decodeRepresentation(bytes)).toThrow("kind 2, version 1");
});

test("whatever bytes are put there, reading ends, and fails by name if it fails", () => {
  const whole = encodeFused(makeRecord({ seed: 10, tokens: 5 }));
  const changes = fc.array(
    fc.tuple(fc.nat({ max: whole.byteLength - 1 }), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 6 },
  );
  let refused = 0;
  fc.assert(
    fc.property(changes, (list) => {
      const bytes = whole.slice();
      for (const [at, value] of list) bytes[at] = value;
      try {
        decodeFused(bytes);
      } catch (error) {
        refused += 1;
        expect(error).toBeInstanceOf(EngineError);
      }
    }),
    { numRuns: 3000, seed: 1 },
  );
  expect(refused).toBeGreaterThan(100);
});
