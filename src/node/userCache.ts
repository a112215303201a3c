import { homedir } from "node:os";
import { join } from "node:path";

/** Path in the user's cache of the studio, for data that can be computed again. */
export function userCache(...parts: readonly string[]): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache"); // set and empty is not set
  return join(cache, "fusestudio", ...parts);
}
