import * as v from "valibot";
import { EngineError } from "../../../contract/index.ts";
import { clip, findJsonProblem } from "../../../core/json.ts";

/** Largest index: the largest published ones are a few MiB. */
export const MAX_INDEX_BYTES = 64 * 2 ** 20;

const Index = v.object({ weight_map: v.record(v.string(), v.string()) });

/** File of each tensor, from model.safetensors.index.json. `bad-header` where it is damaged. */
export function parseShardIndex(text: string, file: string): ReadonlyMap<string, string> {
  const problem = findJsonProblem(text, { maxDepth: 16, duplicateKeys: "refuse" });
  if (problem) {
    const { line, column, reason } = problem;
    throw new EngineError(
      "bad-header",
      `${file} breaks at line ${line}, column ${column}: ${reason}.`,
      { file, line, column },
    );
  }
  const result = v.safeParse(Index, JSON.parse(text));
  if (!result.success) {
    const [issue] = result.issues;
    const key = v.getDotPath(issue) ?? "the document";
    throw new EngineError(
      "bad-header",
      `${file} is not an index of shards: ${clip(key)} is ${clip(issue.received)}, not ${clip(issue.expected ?? "an object")}.`,
      { file, key: key.slice(0, 120) },
    );
  }
  const places = Object.entries(result.output.weight_map);
  const outside = places.find(([, shard]) => !isFileInFolder(shard));
  if (outside) {
    throw new EngineError(
      "bad-header",
      `${file} puts ${clip(outside[0])} into ${clip(outside[1])}; a shard must be a .safetensors file in the same folder.`,
      { file, tensor: outside[0].slice(0, 120), shard: outside[1].slice(0, 120) },
    );
  }
  return new Map(places);
}

function isFileInFolder(path: string): boolean {
  return path.length <= 255 && /^[^/\\]+\.safetensors$/.test(path);
}
