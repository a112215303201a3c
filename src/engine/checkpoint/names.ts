const LONGEST_NAME = 120;

/** A name as the library keeps it: one line, no control characters, at most 120 characters. */
export function tidyName(name: string): string {
  const tidy = name.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return tidy.slice(0, LONGEST_NAME).trim() || "model";
}

/** The name itself, or with " 2", " 3" … where it is taken. */
export function uniqueName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number++) {
    const candidate = `${name} ${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** The name as a folder or file name that every system accepts. */
export function folderName(name: string): string {
  const safe = name.replace(/[\\/:*?"<>|\p{Cc}]+/gu, "-").replace(/^[. ]+|[. ]+$/g, "");
  return safe || "model";
}
