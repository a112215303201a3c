import { Checkbox } from "@mantine/core";
import { useStore } from "zustand";
import type { ModelCard, ModelId } from "../../../engine/contract/index.ts";
import { isModel } from "../../stores/compatible.ts";
import { whyMute } from "../../stores/playgroundActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatArchitecture, formatBytes, formatQuantity } from "../../theme/format.ts";

interface ModelPickerProps {
  readonly studio: Studio;
  readonly label: string;
  readonly chosen: readonly ModelId[];
  /** Reason why no further model can be chosen; null without a limit. */
  readonly full: string | null;
  readonly onToggle: (model: ModelId) => void;
}

/** Choice of models; those that cannot be run say why. */
export function ModelPicker({ studio, label, chosen, full, onToggle }: ModelPickerProps) {
  const models = useStore(studio.library, (state) => state.models) ?? [];
  const cards = useStore(studio.playground, (state) => state.cards);
  return (
    <ul className="picks" aria-label={label}>
      {models.filter(isModel).map((model) => {
        const card = cards[model.id];
        const why = whyMute(card);
        const on = chosen.includes(model.id);
        const facts = [
          ...factsOf(model),
          ...(card?.chats ? ["chat"] : []),
          ...(card?.streamed ? ["streams layers"] : []),
        ];
        return (
          <li key={model.id}>
            <Checkbox
              size="xs"
              checked={on}
              disabled={why !== null || (!on && full !== null)}
              title={!on && !why && full ? full : model.name}
              onChange={() => onToggle(model.id)}
              label={model.name}
              description={why ?? facts.join(" · ")}
            />
          </li>
        );
      })}
    </ul>
  );
}

function factsOf({ architecture, parameters, byteLength }: ModelCard): readonly string[] {
  return [formatArchitecture(architecture), formatQuantity(parameters), formatBytes(byteLength)];
}
