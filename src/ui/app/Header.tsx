import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { useStore } from "zustand";
import { Icon } from "../parts/Icon.tsx";
import { resultName } from "../stores/commands.ts";
import type { Screen } from "../stores/route.ts";
import type { Studio } from "../stores/studio.ts";
import { GpuChip } from "./GpuChip.tsx";
import { StorageChip } from "./StorageChip.tsx";

const TITLES: Record<Screen, string> = { library: "Library", merge: "Merge", runs: "Runs" };
const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

interface HeaderProps {
  readonly studio: Studio;
  readonly screen: Screen;
}

/** Where one is, the palette, what the engine runs on, and how full the storage is. */
export function Header({ studio, screen }: HeaderProps) {
  useStore(studio.recipe);
  useStore(studio.library);
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const named = screen === "merge" && studio.recipe.getState().recipe.models.length > 0;
  return (
    <header className="header">
      <h1>{TITLES[screen]}</h1>
      {named && (
        <span className="chip header-wide">
          <span className="ellipsis" title={resultName(studio)}>
            {resultName(studio)}
          </span>
        </span>
      )}
      <span className="grow" />
      <button type="button" className="chip header-wide" onClick={spotlight.open}>
        <kbd>{MAC ? "⌘" : "Ctrl"}</kbd>
        <kbd>K</kbd> Commands
      </button>
      <GpuChip studio={studio} />
      <StorageChip studio={studio} />
      <ActionIcon
        size="lg"
        aria-label={dark ? "Use the light theme" : "Use the dark theme"}
        onClick={() => setColorScheme(dark ? "light" : "dark")}
      >
        <Icon name={dark ? "sun" : "moon"} />
      </ActionIcon>
    </header>
  );
}
