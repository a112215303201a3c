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
import { FieldList } from "../FieldList.tsx";
import { TRAINING_FIELDS } from "./trainingFields.ts";

/** How targets are trained, and what is made of them. */
export function TrainingForm({ studio }: { readonly studio: Studio }) {
  const { changes } = useStore(studio.pipeline, (state) => state.draft);
  const profiles = useStore(studio.pipeline, (state) => state.profiles);
  const profile = useStore(studio.fusion, (state) => state.draft.profile);
  const settings = trainingSettings(studio);
  if (!settings || !profiles) return null;
  const full = settings.mode === "full";
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
      <FieldList
        fields={TRAINING_FIELDS.filter(({ lora }) => !(lora && full))}
        settings={settings}
        usual={profiles[profile]}
        more="More of the training"
        onChange={(key, next) => changeTraining(studio, key, next)}
      >
        {!full && (
          <MultiSelect
            label="Matrices"
            description="Those that a LoRA stands beside."
            size="xs"
            data={[...TRAINED_MODULES]}
            value={[...settings.modules]}
            onChange={(next) =>
              next.length > 0 && changeTraining(studio, "modules", next as TrainedModule[])
            }
          />
        )}
      </FieldList>
    </Section>
  );
}
