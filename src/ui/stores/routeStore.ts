import { createStore } from "zustand/vanilla";

/** Screen's name in a location hash such as `#/merge`; empty where there is none. */
const readRoute = (hash: string) => hash.replace(/^#\/?/, "").split("/")[0] as string;

/** Store of the current screen, which follows the address bar. */
export function createRouteStore(hash: string) {
  const store = createStore<{ readonly screen: string }>(() => ({ screen: readRoute(hash) }));
  return { ...store, follow: (next: string) => store.setState({ screen: readRoute(next) }) };
}
export type RouteStore = ReturnType<typeof createRouteStore>;
