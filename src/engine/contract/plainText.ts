/**
 * Characters that are seen as nothing, end a line or turn what follows around: C0 and C1 controls, marks
 * of direction (Unicode TR9), line separators and byte order marks.
 */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu;

/**
 * Foreign text, such as a file's or a tensor's name, for a place that must show it as it is: what
 * cannot be seen is written `\u202e`. Characters in `keep` stay, such as line ends.
 */
export function escapeUnseen(text: string, keep = ""): string {
  return text.replace(UNSEEN, (char) =>
    keep.includes(char) ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * A field of CSV (RFC 4180), quoted where it must be. Spreadsheets run what begins like a formula: such
 * a text gets an apostrophe in front. Numbers are as they are, null is empty.
 */
export function formatCsvField(value: string | number | null): string {
  if (typeof value !== "string") return value === null ? "" : String(value);
  const text = escapeUnseen(value);
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
