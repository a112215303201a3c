import { Button, Select } from "@mantine/core";
import { useStore } from "zustand";
import {
  FUSION_DEFAULTS,
  FUSION_PROFILES,
  FUSION_SETTINGS,
} from "../../../engine/contract/index.ts";
import { FieldList } from "../../parts/FieldList.tsx";
import { Section } from "../../parts/Section.tsx";
import { changeSetting, fusionSettings } from "../../stores/fusionActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { PROFILE_WORDS } from "./profileWords.ts";

/** Form of the profile and the settings, most of them collapsed. */
export function SettingsForm({ studio }: { readonly studio: Studio }) {
  const { profile, changes } = useStore(studio.fusion, (state) => state.draft);
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
        description={PROFILE_WORDS[profile]}
        size="xs"
        data={FUSION_PROFILES.map((id) => ({
          value: id,
          label: FUSION_SETTINGS.profile.options[id],
        }))}
        value={profile}
        allowDeselect={false}
        onChange={(next) => {
          const found = FUSION_PROFILES.find((id) => id === next);
          if (found) studio.fusion.draft({ profile: found });
        }}
      />
      <FieldList
        table={FUSION_SETTINGS}
        apart="profile"
        more="More rules"
        onChange={(key, next) => changeSetting(studio, key, next)}
        settings={fusionSettings(studio)}
        usual={FUSION_DEFAULTS[profile]}
      />
    </Section>
  );
}
