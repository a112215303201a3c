import { Button, Select } from "@mantine/core";
import { useStore } from "zustand";
import { FUSION_PROFILES } from "../../../engine/contract/index.ts";
import { Section } from "../../parts/Section.tsx";
import { changeSetting, fusionSettings } from "../../stores/fusing.ts";
import type { Studio } from "../../stores/studio.ts";
import { FieldList } from "./FieldList.tsx";
import { PROFILE_WORDS, SETTING_FIELDS } from "./settingFields.ts";

/** The profile, and what deviates from it. Most of it is folded away. */
export function SettingsForm({ studio }: { readonly studio: Studio }) {
  const { profile, changes } = useStore(studio.fusion, (state) => state.draft);
  const profiles = useStore(studio.environment, (state) => state.profiles);
  const settings = fusionSettings(studio);
  if (!profiles || !settings) return null;
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
        size="xs"
        data={FUSION_PROFILES.map((id) => ({ value: id, label: PROFILE_WORDS[id][0] }))}
        value={profile}
        allowDeselect={false}
        onChange={(next) => {
          const found = FUSION_PROFILES.find((id) => id === next);
          if (found) studio.fusion.draft({ profile: found });
        }}
      />
      <FieldList
        fields={SETTING_FIELDS}
        more="More rules"
        onChange={(key, next) => changeSetting(studio, key, next)}
        settings={settings}
        usual={profiles[profile]}
      />
    </Section>
  );
}
