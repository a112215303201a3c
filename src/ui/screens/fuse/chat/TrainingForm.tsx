import { Button, MultiSelect, SegmentedControl } from "@mantine/core";
import { useStore } from "zustand";
import { TRAINED_MODULES, type TrainedModule } from "../../../../engine/contract/index.ts";
import { Section } from "../../../parts/Section.tsx";
import {
  changeTraining,
  LONGER_TRAINING,
  SHORT_TRAINING,
  trainingSettings,
} from "../../../stores/pipelining.ts";
import type { Studio } from "../../../stores/studio.ts";
import { TrainingInput } from "./TrainingInput.tsx";
import { TRAINING_FIELDS, type TrainingField } from "./trainingFields.ts";

const ORDER: ("label" | "input" | "description")[] = ["label", "input", "description"];

/** How targets are trained, and what is made of them. */
export function TrainingForm({ studio }: { readonly studio: Studio }) {
  const { changes } = useStore(studio.pipeline, (state) => state.draft);
  const profiles = useStore(studio.pipeline, (state) => state.profiles);
  const profile = useStore(studio.fusion, (state) => state.draft.profile);
  const settings = trainingSettings(studio);
  if (!settings) return null;
  const full = settings.mode === "full";
  const fields = TRAINING_FIELDS.filter(({ lora }) => !(lora && full));
  const usual = profiles?.[profile];
  const folded = fields.filter(({ key, advanced }) => advanced && settings[key] !== usual?.[key]);
  const field = (one: TrainingField) => <TrainingInput key={one.key} {...{ studio, field: one }} />;
  return (
    <Section
      title="Training"
      aside={
        Object.keys(changes).length > 0 && (
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => studio.pipeline.draft({ changes: {} })}
          >
            Back to the profile
          </Button>
        )
      }
    >
      <div className="chat-presets">
        <Button size="xs" onClick={() => studio.pipeline.draft({ changes: SHORT_TRAINING })}>
          Short
        </Button>
        <Button size="xs" onClick={() => studio.pipeline.draft({ changes: LONGER_TRAINING })}>
          Longer
        </Button>
        <span className="small faint">24 steps of 256 tokens, or 150 of 512</span>
      </div>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label="What is trained"
        data={[
          { value: "lora", label: "LoRA" },
          { value: "full", label: "All weights" },
        ]}
        value={settings.mode}
        onChange={(mode) => changeTraining(studio, "mode", mode === "full" ? "full" : "lora")}
      />
      <div className="settings">{fields.filter(({ advanced }) => !advanced).map(field)}</div>
      <details className="fold">
        <summary>
          <span className="small">More of the training</span>
          <span className="small faint num">
            {folded.length > 0 ? `${folded.length} changed` : "as usual"}
          </span>
        </summary>
        <div className="settings">
          {!full && (
            <MultiSelect
              label="Matrices"
              description="Those that a LoRA stands beside."
              inputWrapperOrder={ORDER}
              size="xs"
              data={[...TRAINED_MODULES]}
              value={[...settings.modules]}
              onChange={(next) =>
                next.length > 0 && changeTraining(studio, "modules", next as TrainedModule[])
              }
            />
          )}
          {fields.filter(({ advanced }) => advanced).map(field)}
        </div>
      </details>
    </Section>
  );
}
