import { useMantineColorScheme } from "@mantine/core";
import { Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { useStore } from "zustand";
import { show } from "../stores/actions.ts";
import type { Command } from "../stores/command.ts";
import { COMMANDS } from "../stores/commands.ts";
import type { Studio } from "../stores/studio.ts";
import { SCREENS } from "./screens.ts";

const TABLE: readonly Command[] = Object.values(COMMANDS);
const GROUPS = ["Library", "Merge", "Fuse", "Playground"] as const;

/** Command palette: every available command by name; opens with Ctrl or ⌘ and K. */
export function Palette({ studio }: { readonly studio: Studio }) {
  useStore(studio.jobs);
  useStore(studio.forecast);
  useStore(studio.recipe);
  useStore(studio.playground);
  useStore(studio.fusion);
  const models = useStore(studio.library, (state) => state.models) ?? [];
  const { setColorScheme } = useMantineColorScheme();
  const groups: SpotlightActionGroupData[] = GROUPS.map((group) => ({
    group,
    actions: TABLE.filter((action) => action.group === group && !action.blocked(studio)).map(
      ({ id, label, help, run }) => ({
        id,
        label,
        description: help,
        onClick: () => void run(studio),
      }),
    ),
  }));
  const screens: SpotlightActionGroupData = {
    group: "Go to",
    actions: SCREENS.map(({ id, label, help }) => ({
      id: `screen ${id}`,
      label,
      description: help,
      onClick: () => show(id),
    })),
  };
  const open: SpotlightActionGroupData = {
    group: "Models",
    actions: models.map(({ id, name }) => ({
      id: `open ${id}`,
      label: name,
      description: "What is inside",
      onClick: () => {
        show("library");
        studio.desk.setState({ opened: id });
      },
    })),
  };
  const themes: SpotlightActionGroupData = {
    group: "Theme",
    actions: (["auto", "light", "dark"] as const).map((scheme) => ({
      id: `theme ${scheme}`,
      label: scheme === "auto" ? "Theme of the system" : `${scheme} theme`,
      onClick: () => setColorScheme(scheme),
    })),
  };
  return (
    <Spotlight
      actions={[screens, ...groups, open, themes].filter(({ actions }) => actions.length > 0)}
      shortcut="mod + K"
      tagsToIgnore={[]}
      nothingFound="Nothing of this name"
      highlightQuery
      attributes={{ content: { "aria-label": "Commands" } }}
      overlayProps={{ backgroundOpacity: 0.4, blur: 0 }}
      scrollable
      maxHeight={440}
      searchProps={{ placeholder: "What do you want to do?", "aria-label": "Search commands" }}
    />
  );
}
