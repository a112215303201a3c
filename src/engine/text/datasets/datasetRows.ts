import { isObject } from "../../core/json.ts";
import type { ChatMessage } from "../templates/chat.ts";
import { readLayout } from "./layouts.ts";
import { RowProblem } from "./messages.ts";

/** One example of a dataset: a text, or a chat. */
export type DatasetRow = {
  /** Domain that the row names, for tables by domain. */
  readonly domain: string | null;
} & (
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "chat";
      readonly messages: readonly ChatMessage[];
      /** Questions to ask after the first was answered. */
      readonly followUps: readonly string[];
      /** Tools, in the form that templates take. */
      readonly tools?: readonly unknown[];
    }
);

const DOMAINS = ["domain", "category", "subset", "source"];

/**
 * Examples of one row: one as a rule, several where it lists instances. `textColumn` is read where the
 * row has it.
 */
export function readRow(
  value: unknown,
  textColumn: string | null = null,
): readonly DatasetRow[] | RowProblem {
  const row = Array.isArray(value) ? { messages: value } : value;
  if (typeof row === "string") return textRow(row, null);
  if (!isObject(row)) return new RowProblem("neither an object nor a text");
  const found = DOMAINS.map((key) => row[key]).find((name) => typeof name === "string");
  const domain = typeof found === "string" ? found : null;
  const made = readLayout(row, textColumn);
  if (made instanceof RowProblem) return made;
  if (typeof made === "string") return textRow(made, domain);
  return made.map(({ followUps = [], ...chat }) => ({ ...chat, kind: "chat", followUps, domain }));
}

function textRow(text: string, domain: string | null): readonly DatasetRow[] | RowProblem {
  return text.trim() === "" ? new RowProblem("an empty text") : [{ kind: "text", text, domain }];
}
