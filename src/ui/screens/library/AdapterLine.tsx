import { useStore } from "zustand";
import type { ModelCard } from "../../../engine/contract/index.ts";
import type { Studio } from "../../stores/studio.ts";

interface AdapterLineProps {
  readonly studio: Studio;
  readonly model: ModelCard;
}

const lastPart = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** What an adapter is, and under which names it can be chosen: with the models that it fits. */
export function AdapterLine({ studio, model }: AdapterLineProps) {
  const library = useStore(studio.library, (state) => state.models) ?? [];
  const { about = "", base = null } = model.adapter ?? {};
  const pairs = library.filter(({ pair }) => pair?.adapter === model.id).map(({ name }) => name);
  const wanted = base === null ? "of the model that it was trained on" : `of ${lastPart(base)}`;
  return (
    <p className="model-more small" data-missing={pairs.length === 0 || undefined}>
      {about}.{" "}
      {pairs.length > 0
        ? `It can be chosen as ${pairs.join(", ")}.`
        : `Waits for its base: drop the folder ${wanted} on the page.`}
    </p>
  );
}
