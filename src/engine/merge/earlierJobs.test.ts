import { expect, test } from "vitest";
import type { JobCard, JobId, JobRequest, Recipe } from "../contract/index.ts";
import type { JobRow, Journal } from "../core/jobs/journal.ts";
import { readEarlierJobs } from "./earlierJobs.ts";
import { stateProfileOf } from "./recipe/profiles.ts";

const recipeOf = (method: string, parameters: Recipe["parameters"] = {}): Recipe => ({
  method,
  base: "base",
  models: [{ model: "a", parameters: { weight: 1 } }],
  parameters,
});
const requestOf = (recipe: Recipe): JobRequest & { readonly kind: "merge" } => ({
  kind: "merge",
  recipe,
  name: "result",
  shardBytes: 5e9,
});

/** A journal that holds rows as an earlier version wrote them. */
function journalOf(requests: readonly JobRequest[]): Journal {
  const rows = requests.map((request, i): JobRow => {
    const recipe = request.kind === "merge" ? request.recipe : null;
    const card = { id: `job ${i}` as JobId, kind: request.kind, recipe } as JobCard;
    return { card, request, state: null };
  });
  return {
    rows: async () => rows,
    row: async (id) => rows.find(({ card }) => card.id === id),
    put: async () => undefined,
    delete: async () => undefined,
  };
}

test.each(["task_arithmetic", "ties", "dare_linear", "dare_ties", "sce"])(
  "a half-done merge by %s of the time before profiles still means the paper's",
  async (method) => {
    const journal = readEarlierJobs(journalOf([requestOf(recipeOf(method))]));
    const meant = recipeOf(method, { profile: "paper" });
    const [listed] = await journal.rows();
    const found = await journal.row("job 0" as JobId);
    for (const row of [listed, found]) {
      expect(row?.request).toEqual(requestOf(meant));
      expect(row?.card.recipe).toEqual(meant);
    }
  },
);

test("what states its profile, or has none, is read as it is", async () => {
  const rows = [
    requestOf(recipeOf("ties", { profile: "mergekit" })),
    requestOf(recipeOf("varm")),
    requestOf(recipeOf("linear")),
    requestOf(recipeOf("a method that is gone")),
  ];
  const read = await readEarlierJobs(journalOf(rows)).rows();
  expect(read.map(({ request }) => request)).toEqual(rows);
});

test("a new job states its profile: mergekit's, where the recipe says nothing", () => {
  expect(stateProfileOf(requestOf(recipeOf("ties"))).recipe.parameters.profile).toBe("mergekit");
  expect(stateProfileOf(requestOf(recipeOf("linear"))).recipe.parameters).toEqual({});
});

test("task arithmetic's arithmetic of an earlier version is its profile and dtype", () => {
  const earlier = (arithmetic: string) => requestOf(recipeOf("task_arithmetic", { arithmetic }));
  expect(stateProfileOf(earlier("bfloat16"), "paper").recipe).toEqual({
    ...recipeOf("task_arithmetic", { profile: "mergekit" }),
    dtype: "bfloat16",
  });
  expect(stateProfileOf(earlier("float32")).recipe.parameters).toEqual({ profile: "paper" });
});

test("a slice over all layers and a tokenizer are read as they were once stored", async () => {
  const models = [{ model: "a", parameters: { weight: 1 } }];
  const stored = { ...recipeOf("linear"), layers: 32, tokenizer: "union" };
  const [row] = await readEarlierJobs(journalOf([requestOf(stored as unknown as Recipe)])).rows();
  const sources = models.map((model) => ({ ...model, layers: [0, 32] as const }));
  expect(row?.request).toEqual(
    requestOf({
      ...recipeOf("linear"),
      models: [],
      slices: [{ sources, parameters: {} }],
      tokenizer: { source: "union" },
    }),
  );
});
