import { Button, SegmentedControl } from "@mantine/core";
import { useStore } from "zustand";
import { TRAINING_DEFAULTS, TRAINING_SETTINGS } from "../../../../engine/contract/index.ts";
import { FieldList } from "../../../parts/FieldList.tsx";
import { Section } from "../../../parts/Section.tsx";
import {
  changeTraining,
  LONGER_TRAINING,
  SHORT_TRAINING,
  trainingSettings,
} from "../../../stores/pipelineActions.ts";
import type { Studio } from "../../../stores/studio.ts";

/** Form of the trainings. */
export function TrainingForm({ studio }: { readonly studio: Studio }) {
  const { changes } = useStore(studio.pipeline, (state) => state.draft);
  const profile = useStore(studio.fusion, (state) => state.draft.profile);
  const settings = trainingSettings(studio);
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
        aria-label={TRAINING_SETTINGS.mode.label}
        data={Object.entries(TRAINING_SETTINGS.mode.options).map(([value, label]) => ({
          value,
          label,
        }))}
        value={settings.mode}
        onChange={(mode) => changeTraining(studio, "mode", mode === "full" ? "full" : "lora")}
      />
      <FieldList
        table={TRAINING_SETTINGS}
        apart="mode"
        settings={settings}
        usual={TRAINING_DEFAULTS[profile]}
        more="More of the training"
        onChange={(key, next) => changeTraining(studio, key, next)}
      />
    </Section>
  );
}
