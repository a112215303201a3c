import { basename } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import { bytesInMemory } from "../engine/core/bytes.ts";
import { type ReadableRow, tryEncodeRow } from "../engine/evaluate/scoreRow.ts";
import { detectFormat, readDataset, readWholeText } from "../engine/text/datasets/datasets.ts";
import { systemIntoUser } from "../engine/text/datasets/systemRole.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { missingTemplate, openChatTemplate } from "../engine/text/templates/template.ts";
import { readInput } from "../node/files.ts";
import { nodeThreads } from "../node/threads.ts";
import type { RunnableModel } from "./languageModel.ts";

const MAX_FILE_BYTES = 2 ** 28;

/** Scored texts of a file, and its unreadable rows. */
export interface ScoredTexts {
  readonly rows: readonly ReadableRow[];
  /** Domain of each row. */
  readonly domains: readonly (string | null)[];
  readonly problems: readonly string[];
}

/**
 * Tokens of a text file (as one text) or of a dataset's rows. Texts get the tokenizer's special
 * tokens; of chats, under the model's template, only the assistant's replies are scored.
 * `missing-file` for chats where the model has no template. `intoUser`: system texts go into the
 * first user turn, for templates without a system role.
 */
export async function readScoredTexts(
  path: string,
  model: RunnableModel,
  { intoUser }: { readonly intoUser: boolean },
): Promise<ScoredTexts> {
  const tokenizer = await model.tokenizer();
  const bytes = await readInput(path, MAX_FILE_BYTES);
  const source = bytesInMemory(bytes);
  const encode = (text: string): ReadableRow => {
    const { ids, spans, byteLength } = tokenizer.encode(text, { specialTokens: true });
    const counted = new Uint8Array(ids.length).fill(1);
    counted[0] = 0; // Nothing stands before it.
    return { ids: [...ids], counted, bytes: byteLength - (spans.bytes[1] ?? 0) };
  };
  if ((await detectFormat(source, basename(path))) === "text") {
    return {
      rows: [encode(await readWholeText(source, basename(path)))],
      domains: [null],
      problems: [],
    };
  }
  const template = await openChatTemplate(model.files, tokenizer, watchTemplates(nodeThreads()));
  const rows: ReadableRow[] = [];
  const domains: (string | null)[] = [];
  const problems: string[] = [];
  for await (const entry of readDataset(source, basename(path))) {
    const leaveOut = (why: string) => problems.push(`row ${entry.at}: ${why}`);
    if ("problem" in entry) {
      leaveOut(entry.problem);
      continue;
    }
    const row = intoUser ? systemIntoUser(entry.row) : entry.row;
    if (row.kind === "chat" && !template) throw missingTemplate(model.name);
    const readable =
      row.kind === "text" ? encode(row.text) : await tryEncodeRow(row, tokenizer, template);
    if (readable instanceof EngineError) {
      leaveOut(readable.message);
    } else if (readable?.counted.includes(1)) {
      rows.push(readable);
      domains.push(row.domain);
    } else leaveOut("nothing to predict");
  }
  return { rows, domains, problems };
}
