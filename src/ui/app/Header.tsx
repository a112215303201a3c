import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { useStore } from "zustand";
import { Icon } from "../parts/Icon.tsx";
import { shownFusion } from "../stores/fusing.ts";
import type { Screen } from "../stores/route.ts";
import type { Studio } from "../stores/studio.ts";
import { GpuChip } from "./GpuChip.tsx";
import { StorageChip } from "./StorageChip.tsx";

const TITLES: Record<Screen, string> = {
  library: "Library",
  merge: "Merge",
  fuse: "Fuse",
  playground: "Playground",
  runs: "Runs",
};
const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

interface HeaderProps {
  readonly studio: Studio;
  readonly screen: Screen;
}

/** Where one is, the palette, what the engine runs on, and how full the storage is. */
export function Header({ studio, screen }: HeaderProps) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const methods = useStore(studio.environment, (state) => state.methods);
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const method = methods.find(({ id }) => id === recipe.method)?.title ?? recipe.method;
  const count = recipe.models.length;
  const fusion = useStore(studio.fusion, (state) => state.shown);
  const fused = useStore(studio.library, ({ fusions }) => shownFusion(fusions ?? [], fusion));
  const [pivot, ...sources] = fused?.members.map((member) => member.model) ?? [];
  const subject = `${method} · ${count === 1 ? "1 model" : `${count} models`}`;
  return (
    <header className="header">
      <h1>{TITLES[screen]}</h1>
      {screen === "merge" && count > 0 && <span className="chip header-wide num">{subject}</span>}
      {screen === "fuse" && fused && (
        <span className="chip header-wide header-subject">
          <span className="ellipsis" title={fused.name}>
            {pivot} ← {sources.join(", ")}
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
