import { type ComponentType, createElement, lazy } from "react";
import type { ScreenCard } from "../stores/screen.ts";
import type { Studio } from "../stores/studio.ts";

/** A screen: its card, its address, and its components, which are loaded on first use. */
export interface Screen extends ScreenCard {
  /** Name of the folder, which is the address: `merge` for `#/merge`. */
  readonly id: string;
  readonly View: ComponentType<{ readonly studio: Studio }>;
  readonly Subject: ComponentType<{ readonly studio: Studio }>;
}

const files = import.meta.glob<ScreenCard>("../screens/*/screen.ts", {
  import: "screen",
  eager: true,
});

/** All screens in the rail's order: every `screen.ts` in a folder of `screens/`. */
export const SCREENS: readonly Screen[] = Object.entries(files)
  .map(([path, card]) => {
    const id = path.split("/").at(-2) as string;
    const View = lazy(async () => ({ default: (await card.load()).Screen }));
    const Subject = lazy(async () => ({ default: (await card.load()).Subject ?? Nothing }));
    return { ...card, id, View, Subject };
  })
  .toSorted((a, b) => a.order - b.order);

/** Screen of an address; the first one for an unknown address. */
export function findScreen(id: string): Screen {
  return SCREENS.find((screen) => screen.id === id) ?? (SCREENS[0] as Screen);
}

/** Loads the code of all screens while the page is idle. */
export function preloadScreens(): void {
  const load = () => {
    // A load that fails is reported when its screen is shown.
    for (const screen of SCREENS) screen.load().catch(() => undefined);
  };
  if ("requestIdleCallback" in window) window.requestIdleCallback(load);
  else setTimeout(load, 1000);
}

const Nothing = () => createElement("span", { hidden: true });
