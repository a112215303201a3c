import { expect, test } from "vitest";
import { plan } from "../plan/testPlan.ts";
import type { TokenRows } from "../plan/tokenRows.ts";
import { makeModel } from "../testModels.ts";
import { makeDocuments } from "./sideFiles.ts";

const EMBED = "model.embed_tokens.weight";
const LINEAR =
  "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\ndtype: float32";

/** Plans a merge of two embeddings of so many rows, whose tokenizers have 128 tokens and `tokens`. */
function planRows(a: number, b: number, tokens = 128) {
  const models = [a, b].map((rows, i) => makeModel("ab"[i]!, { [EMBED]: ["F32", [rows, 4]] }));
  const details = models.map((model, i) => {
    const known: TokenRows = { rows: i === 0 ? 128 : tokens, whole: true };
    return [model, { tokens: known, repeatsEmbedding: false, nonfiniteRows: [] }] as const;
  });
  return plan(LINEAR, models, { details: new Map(details) });
}

// mergekit 0.1.5 given a model of 130 rows and one of 128: "Tensor size mismatch for lm_head.weight",
// with --unsafe-truncate-embeddings 128 rows.
test.each([
  ["as many rows in both", planRows(128, 128), true],
  ["rows that are left out", planRows(128, 130, 130), false],
  ["spare rows that are kept", planRows(128, 160), false],
])("%s: mergekit_config.yml where mergekit gives the same", async (_, found, written) => {
  const files = await makeDocuments(found, { name: "c", map: null });
  expect(files.has("mergekit_config.yml")).toBe(written);
});

test("the plan says how mergekit treats models of unequal rows", () => {
  const said = (found: ReturnType<typeof planRows>) =>
    found.card.findings.map(({ message }) => message).join("\n");
  expect(said(planRows(128, 130, 130))).toMatch(
    /cut to 128 rows.*mergekit refuses .* --unsafe-truncate-embeddings makes it leave out the same rows\./,
  );
  const kept = said(planRows(128, 160));
  expect(kept).toMatch(/kept from "b"\. mergekit refuses/);
  expect(kept).not.toContain("--unsafe");
  expect(said(planRows(128, 128))).not.toContain("mergekit refuses");
});
