import { expect, test } from "vitest";
import { EngineError, type FusedDocumentCard } from "../../engine/contract/index.ts";
import { fakeEngine } from "./fakeEngine.ts";
import { fakeDocument, fakeRow } from "./fakeFusion.ts";
import { loadDocuments, openDocument, openRow } from "./fusionReading.ts";
import { createStudio } from "./studio.ts";

/** An engine whose answers wait until the test lets them go. */
function open() {
  const waiting: { readonly name: string; readonly go: (error?: Error) => void }[] = [];
  const answer = <T>(name: string, value: T) =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ name, go: (error) => (error ? reject(error) : resolve(value)) });
    });
  const { engine } = fakeEngine({
    fusedDocuments: ({ from, count }) =>
      answer(
        `from ${from}`,
        Array.from({ length: count }, (_, at): FusedDocumentCard => fakeDocument(from + at)),
      ),
    fusedDocument: ({ document }) => answer(`document ${document}`, fakeDocument(document)),
    fusedRow: ({ document, row }) => answer(`row ${row}`, fakeRow(document, row)),
  });
  return { studio: createStudio(engine, ""), waiting };
}

test("pages are asked for once, and again only after they failed", async () => {
  const { studio, waiting } = open();
  const first = loadDocuments(studio, "f", 40, 60);
  void loadDocuments(studio, "f", 45, 55);
  expect(waiting.map(({ name }) => name)).toEqual(["from 0", "from 50"]);
  waiting[0]?.go();
  waiting[1]?.go(new EngineError("truncated", "torn"));
  await first;
  const { pages, failure } = studio.fusion.getState();
  expect(pages[0]?.[49]?.index).toBe(49);
  expect(failure?.code).toBe("truncated");
  void loadDocuments(studio, "f", 40, 60);
  expect(waiting.map(({ name }) => name)).toEqual(["from 0", "from 50", "from 50"]);
});

test("of two documents asked for, the later one is shown whichever comes first", async () => {
  const { studio, waiting } = open();
  const one = openDocument(studio, "f", 1);
  const two = openDocument(studio, "f", 2);
  waiting[1]?.go();
  await two;
  waiting[0]?.go();
  await one;
  expect(studio.fusion.getState().document?.index).toBe(2);
});

test("the last row that was asked for is shown, and asked for once", async () => {
  const { studio, waiting } = open();
  studio.fusion.read("f");
  const rows = [openRow(studio, "f", 0, 3), openRow(studio, "f", 0, 4), openRow(studio, "f", 0, 4)];
  expect(waiting).toHaveLength(2);
  for (const { go } of waiting.toReversed()) go();
  await Promise.all(rows);
  expect(studio.fusion.getState().row?.row).toBe(4);
});

test("what comes of another fused dataset is forgotten", async () => {
  const { studio, waiting } = open();
  const opening = openDocument(studio, "f", 0);
  studio.fusion.read("g");
  waiting[0]?.go();
  await opening;
  expect(studio.fusion.getState()).toMatchObject({ reading: "g", document: null, opened: null });
});
