import { EngineError } from "../contract/index.ts";
import { invariant } from "../core/invariant.ts";
import type { MergeMethod } from "./method.ts";

const modules = import.meta.glob<{ default: MergeMethod }>(
  ["./methods/*.ts", "!./methods/*.test.ts"],
  { eager: true },
);

/** Every method, by id. A file in `methods/` is enough to be here; its name is its id. */
export const methods: ReadonlyMap<string, MergeMethod> = new Map(
  Object.entries(modules).map(([path, module]) => {
    const id = path.slice("./methods/".length, -".ts".length);
    invariant(module.default.id === id, `${path} holds the method "${id}"`);
    return [id, module.default];
  }),
);

/** The method with this id, or `bad-recipe` with the ids there are. */
export function findMethod(id: string): MergeMethod {
  const method = methods.get(id);
  if (!method) {
    const known = [...methods.keys()].join(", ");
    throw new EngineError(
      "bad-recipe",
      `There is no merge method "${id}". Known methods: ${known}.`,
      { method: id },
    );
  }
  return method;
}
