import { createStore } from "zustand/vanilla";

/** The screens there are, in the rail's order. */
export const SCREENS = ["library", "merge", "fuse", "playground", "runs"] as const;
export type Screen = (typeof SCREENS)[number];

/** The screen that a location hash names; anything else is the library. */
function readRoute(hash: string): Screen {
  const name = hash.replace(/^#\/?/, "").split("/")[0];
  return SCREENS.find((screen) => screen === name) ?? "library";
}

/** Which screen is shown. The address bar leads, the store follows it. */
export function createRouteStore(hash: string) {
  const store = createStore<{ readonly screen: Screen }>(() => ({ screen: readRoute(hash) }));
  return { ...store, follow: (next: string) => store.setState({ screen: readRoute(next) }) };
}
export type RouteStore = ReturnType<typeof createRouteStore>;
