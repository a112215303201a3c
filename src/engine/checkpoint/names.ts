const LONGEST_NAME = 120;

/** Name in the library: one line, without control characters, at most 120 characters. */
export function tidyName(name: string): string {
  const tidy = name.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return tidy.slice(0, LONGEST_NAME).trim() || "model";
}

/** A name that is not taken: the given one, or with " 2", " 3" …. */
export function uniqueName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number++) {
    const candidate = `${name} ${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** Name that is a legal folder or file name on every system. */
export function folderName(name: string): string {
  const safe = name.replace(/[\\/:*?"<>|\p{Cc}]+/gu, "-").replace(/^[. ]+|[. ]+$/g, "");
  return safe || "model";
}
