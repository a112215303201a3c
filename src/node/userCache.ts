import { homedir } from "node:os";
import { join } from "node:path";

/** Where the studio keeps what it can make again, for this user's programs. */
export function userCache(...parts: readonly string[]): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache"); // set and empty is not set
  return join(cache, "fusestudio", ...parts);
}
