import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { Suspense } from "react";
import { Icon } from "../parts/Icon.tsx";
import type { Studio } from "../stores/studio.ts";
import { GpuChip } from "./GpuChip.tsx";
import { StorageChip } from "./StorageChip.tsx";
import type { Screen } from "./screens.ts";

const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

interface HeaderProps {
  readonly studio: Studio;
  readonly screen: Screen;
}

/** Header: the screen's title, the command palette, the GPU and the storage. */
export function Header({ studio, screen }: HeaderProps) {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  return (
    <header className="header">
      <h1>{screen.label}</h1>
      <Suspense>
        <screen.Subject studio={studio} />
      </Suspense>
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
