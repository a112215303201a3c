import { createStore } from "zustand/vanilla";

/** The screen's name in a location hash such as `#/merge`; empty where there is none. */
const readRoute = (hash: string) => hash.replace(/^#\/?/, "").split("/")[0] as string;

/** Which screen is asked for. The address bar leads, the store follows it. */
export function createRouteStore(hash: string) {
  const store = createStore<{ readonly screen: string }>(() => ({ screen: readRoute(hash) }));
  return { ...store, follow: (next: string) => store.setState({ screen: readRoute(next) }) };
}
export type RouteStore = ReturnType<typeof createRouteStore>;
