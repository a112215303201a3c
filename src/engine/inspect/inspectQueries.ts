import type { LibraryReader } from "../checkpoint/library/library.ts";
import type { Engine, ModelId } from "../contract/index.ts";
import { EngineError } from "../contract/index.ts";
import { inspectTensor } from "./inspect.ts";

/** The engine's query about the values of a tensor. */
export function createInspectQueries(library: LibraryReader): Pick<Engine, "inspectTensor"> {
  return {
    async inspectTensor({ model, tensor, against }) {
      const [own, other] = await Promise.all([
        findTensor(library, model, tensor),
        against === null ? null : findTensor(library, against, tensor),
      ]);
      return inspectTensor(own, other);
    },
  };
}

async function findTensor(library: LibraryReader, model: ModelId, name: string) {
  const checkpoint = await library.open(model);
  const tensor = checkpoint.tensors.get(name);
  if (tensor) return tensor;
  throw new EngineError("missing-tensor", `${checkpoint.name} has no tensor "${name}".`, {
    model: checkpoint.name,
    tensor: name,
  });
}
