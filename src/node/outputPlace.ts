import { realpath } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { EngineError } from "../engine/contract/index.ts";

/**
 * Refuses an output that is an input's folder or inside one: it would become part of that model.
 */
export async function requireOutside(output: string, inputs: Iterable<string>): Promise<void> {
  const place = await realPlace(output);
  for (const input of inputs) {
    const way = relative(await realPlace(input), place);
    if (way === ".." || way.startsWith(`..${sep}`)) continue;
    throw new EngineError(
      "permission",
      `${output} is a model that is read, or lies inside one: ${input}. Choose a folder outside of all models.`,
      { folder: output, input },
    );
  }
}

/** Path with its links resolved, even where its end does not exist yet. */
async function realPlace(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const above = dirname(path);
    return above === path ? path : join(await realPlace(above), path.slice(above.length));
  });
}
