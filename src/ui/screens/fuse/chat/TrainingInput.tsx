import { NumberInput, Select, Switch } from "@mantine/core";
import { useStore } from "zustand";
import { changeTraining, trainingSettings } from "../../../stores/pipelining.ts";
import type { Studio } from "../../../stores/studio.ts";
import { sayTraining, type TrainingField } from "./trainingFields.ts";

interface TrainingInputProps {
  readonly studio: Studio;
  readonly field: TrainingField;
}

const ORDER: ("label" | "input" | "description")[] = ["label", "input", "description"];

/** One setting of the training; what differs from the profile says so. */
export function TrainingInput({ studio, field }: TrainingInputProps) {
  useStore(studio.pipeline, (state) => state.draft.changes);
  const profile = useStore(studio.fusion, (state) => state.draft.profile);
  const usual = useStore(studio.pipeline, (state) => state.profiles?.[profile][field.key]);
  const settings = trainingSettings(studio);
  if (!settings || usual === undefined) return null;
  const { key, label, help } = field;
  const value = settings[key];
  const changed = value !== usual;
  const set = (next: unknown) => changeTraining(studio, key, next as never);
  const description = (
    <>
      {help}
      {changed && (
        <span className="setting-changed"> Changed; usually {sayTraining(field, usual)}.</span>
      )}
    </>
  );
  const common = { label, description, size: "xs", inputWrapperOrder: ORDER } as const;
  return (
    <div className="setting" data-changed={changed || undefined}>
      {field.kind === "number" && (
        <NumberInput
          {...common}
          min={field.min}
          max={field.max}
          step={field.step}
          clampBehavior="strict"
          allowDecimal={!Number.isInteger(field.step)}
          placeholder={field.empty ?? ""}
          value={value === null ? "" : Number(value)}
          onChange={(next) => {
            if (typeof next === "number" && next >= field.min) set(next);
            else if (next === "" && field.empty) set(null);
          }}
        />
      )}
      {field.kind === "choice" && (
        <Select
          {...common}
          data={field.options.map(([id, name]) => ({ value: id, label: name }))}
          value={value === null ? "" : String(value)}
          allowDeselect={false}
          onChange={(next) => next !== null && set(next === "" ? null : next)}
        />
      )}
      {field.kind === "switch" && (
        <Switch
          size="xs"
          label={label}
          description={description}
          checked={value === true}
          onChange={({ currentTarget }) => set(currentTarget.checked)}
        />
      )}
    </div>
  );
}
