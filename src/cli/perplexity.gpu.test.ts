import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toFailure } from "../engine/contract/index.ts";
import { exitCodeOf } from "./outcome.ts";
import { perplexity } from "./perplexity.ts";

const MODEL = join("public", "samples", "ember-base");

interface Figures {
  readonly rows: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly bitsPerByte: number;
  readonly interval: readonly [number, number] | null;
}
interface Answer extends Figures {
  readonly nats: number;
  readonly domains?: readonly (Figures & { readonly domain: unknown })[];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function measure(rows: readonly object[]) {
  const file = join(folder, "texts.jsonl");
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join("\n"));
  const { json, text } = await perplexity.run({
    positionals: [MODEL, file],
    options: {},
    signal: new AbortController().signal,
    say: () => undefined,
    progress: () => undefined,
  });
  return { answer: json as Answer, text };
}

async function sampleRows(name: string, count: number): Promise<readonly object[]> {
  const text = await readFile(join("public", "samples", "texts", `${name}.jsonl`), "utf8");
  return text
    .split("\n")
    .slice(0, count)
    .map((line) => JSON.parse(line));
}

test("a dataset of several domains is told domain by domain, each as if it were alone", async () => {
  const maths = await sampleRows("maths", 5);
  const tales = await sampleRows("tales", 2);
  const named = (rows: readonly object[], domain: string) =>
    rows.map((row) => ({ ...row, domain }));
  const { answer, text } = await measure([...named(maths, "maths"), ...named(tales, "tales")]);
  expect(answer.domains).toHaveLength(2);
  for (const [i, [name, rows]] of (
    [
      ["maths", maths],
      ["tales", tales],
    ] as const
  ).entries()) {
    const { answer: alone } = await measure(rows);
    expect(alone.domains).toBeUndefined();
    const own = answer.domains?.[i];
    expect(own).toMatchObject({
      domain: { kind: "named", name },
      rows: rows.length,
      tokens: alone.tokens,
      bytes: alone.bytes,
    });
    // The same windows through the same kernels.
    expect(own?.bitsPerByte).toBeCloseTo(alone.bitsPerByte, 9);
    // Five rows have an interval, two have none.
    expect(own?.interval === null).toBe(rows.length < 5);
    const [low, high] = own?.interval ?? [alone.bitsPerByte, alone.bitsPerByte];
    expect(low).toBeLessThanOrEqual(alone.bitsPerByte);
    expect(high).toBeGreaterThanOrEqual(alone.bitsPerByte);
    expect(text).toContain(`${name}: ${rows.length} rows, ${alone.bitsPerByte.toFixed(4)}`);
  }
  expect(answer.bytes).toBe(answer.domains?.reduce((sum, { bytes }) => sum + bytes, 0));
});

test("a dataset whose every row is refused is wrong usage, and the first reason is told", async () => {
  const roles = ["wizard", "witch"];
  const rows = roles.map((role) => ({ messages: [{ role, content: "Hello." }] }));
  const error: unknown = await measure(rows).catch((thrown: unknown) => thrown);
  expect(toFailure(error).message).toMatch(/no token to predict.*row 1: .*"wizard"/);
  // As docs/terminal.md says.
  expect(exitCodeOf(toFailure(error))).toBe(2);
});
