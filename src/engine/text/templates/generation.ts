import type { CharRange } from "./chat.ts";

/** Variables that replace `{% generation %}` and `{% endgeneration %}`. */
const BEGIN = "fusestudio_generation_begins";
const END = "fusestudio_generation_ends";
const TAG = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;

/**
 * Rewrites transformers' `{% generation %}` block, which marks learned text, in plain Jinja: each
 * tag becomes a block that writes a mark, with the tag's white-space control.
 */
export function rewriteGeneration(source: string): {
  readonly source: string;
  readonly marksReplies: boolean;
} {
  let marksReplies = false;
  const rewritten = source.replace(
    TAG,
    (_, left: string, end: string | undefined, right: string) => {
      marksReplies = true;
      return `{%${left} if true %}{{ ${end ? END : BEGIN} }}{% endif ${right}%}`;
    },
  );
  return { source: rewritten, marksReplies };
}

/** Variables of a rendering with visible or empty marks. */
export function generationMarks(marks: readonly [begin: string, end: string] | null) {
  return { [BEGIN]: marks?.[0] ?? "", [END]: marks?.[1] ?? "" };
}

/**
 * A marked rendering without its marks, and the ranges between them; null where they do not pair.
 */
export function readMarked(
  marked: string,
  [begin, end]: readonly [string, string],
): { readonly text: string; readonly ranges: readonly CharRange[] } | null {
  const ranges: CharRange[] = [];
  let text = "";
  for (const [i, part] of marked.split(begin).entries()) {
    const [inside, ...after] = part.split(end);
    if (after.length !== (i === 0 ? 0 : 1)) return null;
    if (i > 0) ranges.push({ start: text.length, end: text.length + inside!.length });
    text += inside! + (after[0] ?? "");
  }
  return { text, ranges };
}
