import { Button } from "@mantine/core";
import { useStore } from "zustand";
import type { ModelCard } from "../../../engine/contract/index.ts";
import { mergeModels } from "../../stores/actions.ts";
import type { Studio } from "../../stores/studio.ts";

interface MergeOfferProps {
  readonly studio: Studio;
  readonly models: readonly ModelCard[];
}

/** Offer to merge imported models of one shape. */
export function MergeOffer({ studio, models }: MergeOfferProps) {
  const offered = useStore(studio.desk, (state) => state.offered);
  const names = models.filter(({ id }) => offered.includes(id)).map(({ name }) => name);
  if (names.length < 2) return null;
  return (
    <div className="offer" role="status">
      <p className="grow">
        <b>{names.join(", ")}</b> have one shape and can be merged. The base is guessed from the
        weights; you can change it.
      </p>
      <Button variant="filled" onClick={() => mergeModels(studio, offered)}>
        Merge these
      </Button>
      <Button variant="subtle" onClick={() => studio.desk.setState({ offered: [] })}>
        Not now
      </Button>
    </div>
  );
}
