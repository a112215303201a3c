const CACHED = /(?:^|\/)models--([^/]+?)--([^/]+?)(?:\/snapshots\/[^/]+)?\/?$/;

/**
 * `owner/name` of a path in the Hub's cache, `models--owner--name` with or without a snapshot
 * below; null for other paths.
 */
export function nameInHubCache(path: string): string | null {
  const found = CACHED.exec(path.replaceAll("\\", "/"));
  return found ? `${found[1]}/${found[2]}` : null;
}
