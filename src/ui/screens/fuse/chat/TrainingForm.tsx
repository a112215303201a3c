import { Button, Checkbox, MultiSelect, NumberInput, SegmentedControl } from "@mantine/core";
import { useStore } from "zustand";
import { TRAINED_MODULES, type TrainedModule } from "../../../../engine/contract/index.ts";
import { Section } from "../../../parts/Section.tsx";
import {
  changeTraining,
  LONGER_TRAINING,
  SHORT_TRAINING,
  trainingSettings,
  wantedMerges,
} from "../../../stores/pipelining.ts";
import type { Studio } from "../../../stores/studio.ts";
import { TRAINING_FIELDS, type TrainingField } from "./trainingFields.ts";

const ORDER: ("label" | "input" | "description")[] = ["label", "input", "description"];

/** How targets are trained, and what is made of them. */
export function TrainingForm({ studio }: { readonly studio: Studio }) {
  const { changes } = useStore(studio.pipeline, (state) => state.draft);
  useStore(studio.pipeline, (state) => state.profiles);
  const settings = trainingSettings(studio);
  if (!settings) return null;
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
      <div className="settings">
        {TRAINING_FIELDS.filter(({ advanced }) => !advanced).map(field)}
      </div>
      <details className="fold">
        <summary>
          <span className="small">More of the training</span>
        </summary>
        <div className="settings">
          {settings.mode === "lora" && (
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
          {TRAINING_FIELDS.filter(({ advanced }) => advanced).map(field)}
        </div>
      </details>
    </Section>
  );
}

function TrainingInput({
  studio,
  field,
}: {
  readonly studio: Studio;
  readonly field: TrainingField;
}) {
  const settings = trainingSettings(studio);
  const changed = useStore(studio.pipeline, (state) => field.key in state.draft.changes);
  if (!settings) return null;
  const value = settings[field.key];
  return (
    <div className="setting" data-changed={changed || undefined}>
      <NumberInput
        label={field.label}
        description={field.help}
        inputWrapperOrder={ORDER}
        size="xs"
        min={field.min}
        max={field.max}
        step={field.step}
        clampBehavior="strict"
        decimalScale={Number.isInteger(field.step) ? 0 : 6}
        placeholder={field.empty ?? ""}
        value={value ?? ""}
        onChange={(next) => {
          if (typeof next === "number" && next >= field.min)
            changeTraining(studio, field.key, next);
          else if (next === "" && field.empty) changeTraining(studio, field.key, null as never);
        }}
      />
    </div>
  );
}

/** Which merges are compared, on how many tokens. */
export function MergesForm({ studio }: { readonly studio: Studio }) {
  const { merges, draft } = useStore(studio.pipeline);
  const wanted = wantedMerges(studio).map(({ name }) => name);
  const toggle = (name: string) =>
    studio.pipeline.draft({
      merges: wanted.includes(name) ? wanted.filter((each) => each !== name) : [...wanted, name],
    });
  return (
    <Section title="Merges and evaluation">
      <ul className="picks" aria-label="Merges">
        {merges.map(({ name }) => (
          <li key={name}>
            <Checkbox
              size="xs"
              label={<span className="mono">{name}</span>}
              checked={wanted.includes(name)}
              onChange={() => toggle(name)}
            />
          </li>
        ))}
      </ul>
      <div className="settings">
        <Checkbox
          size="xs"
          label="Fine-tune without sources too"
          description="The same tokens with λ = 1, so that it can be told what the sources are good for."
          checked={draft.plain}
          onChange={({ currentTarget }) => studio.pipeline.draft({ plain: currentTarget.checked })}
        />
        <NumberInput
          label="Evaluation tokens"
          description="Every model is scored on rows of so many tokens, which no training reads."
          inputWrapperOrder={ORDER}
          size="xs"
          min={1}
          max={10_000_000}
          step={256}
          clampBehavior="strict"
          value={draft.evaluationTokens}
          onChange={(next) =>
            typeof next === "number" &&
            next >= 1 &&
            studio.pipeline.draft({ evaluationTokens: next })
          }
        />
      </div>
    </Section>
  );
}
