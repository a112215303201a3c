import { Button, NumberInput, Select, Switch } from "@mantine/core";
import { useStore } from "zustand";
import { FUSION_PROFILES, type FusionSettings } from "../../../engine/contract/index.ts";
import { Section } from "../../parts/Section.tsx";
import { changeSetting, fusionSettings } from "../../stores/fusing.ts";
import type { Studio } from "../../stores/studio.ts";
import { PROFILE_WORDS, SETTING_FIELDS, type SettingField, sayValue } from "./settingFields.ts";

/** The profile, and what deviates from it. Most of it is folded away. */
export function SettingsForm({ studio }: { readonly studio: Studio }) {
  const { profile, changes } = useStore(studio.fusion, (state) => state.draft);
  const profiles = useStore(studio.environment, (state) => state.profiles);
  const settings = fusionSettings(studio);
  if (!profiles || !settings) return null;
  const usual = profiles[profile];
  const changed = SETTING_FIELDS.filter(({ key }) => settings[key] !== usual[key]);
  const folded = changed.filter(({ advanced }) => advanced).length;
  const field = (one: SettingField) => (
    <SettingInput key={one.key} {...{ studio, field: one, settings, usual }} />
  );
  return (
    <Section
      title="Rules"
      aside={
        Object.keys(changes).length > 0 && (
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => studio.fusion.draft({ changes: {} })}
          >
            Back to the profile
          </Button>
        )
      }
    >
      <Select
        aria-label="Profile"
        description={PROFILE_WORDS[profile][1]}
        inputWrapperOrder={["label", "input", "description"]}
        size="xs"
        data={FUSION_PROFILES.map((id) => ({ value: id, label: PROFILE_WORDS[id][0] }))}
        value={profile}
        allowDeselect={false}
        onChange={(next) => {
          const found = FUSION_PROFILES.find((id) => id === next);
          if (found) studio.fusion.draft({ profile: found });
        }}
      />
      <div className="settings">
        {SETTING_FIELDS.filter(({ advanced }) => !advanced).map(field)}
      </div>
      <details className="fold">
        <summary>
          <span className="small">More rules</span>
          <span className="small faint num">{folded > 0 ? `${folded} changed` : "as usual"}</span>
        </summary>
        <div className="settings">
          {SETTING_FIELDS.filter(({ advanced }) => advanced).map(field)}
        </div>
      </details>
    </Section>
  );
}

interface SettingInputProps {
  readonly studio: Studio;
  readonly field: SettingField;
  readonly settings: FusionSettings;
  readonly usual: FusionSettings;
}

function SettingInput({ studio, field, settings, usual }: SettingInputProps) {
  const { key, label, help } = field;
  const value = settings[key];
  const changed = value !== usual[key];
  const set = (next: unknown) => changeSetting(studio, key, next as FusionSettings[typeof key]);
  const description = (
    <>
      {help}
      {changed && (
        <span className="setting-changed"> Changed; usually {sayValue(field, usual[key])}.</span>
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
          value={Number(value)}
          onChange={(next) => typeof next === "number" && next >= field.min && set(next)}
        />
      )}
      {field.kind === "choice" && (
        <Select
          {...common}
          data={field.options.map(([id, name]) => ({ value: id, label: name }))}
          value={String(value)}
          allowDeselect={false}
          onChange={(next) => next !== null && set(next)}
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

const ORDER: ("label" | "input" | "description")[] = ["label", "input", "description"];
