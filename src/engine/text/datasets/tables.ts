import { MAX_ROW_CHARS, type Piece } from "./datasetText.ts";

/** A row of a table by column name; null where it was too long. */
export interface TableRow {
  readonly at: number;
  /** Phrase that says why it is no row of this table. */
  readonly problem?: string;
  readonly fields: Readonly<Record<string, string>> | null;
}

/**
 * Rows of a CSV or TSV text (RFC 4180) after its header. Quoted fields may contain line ends and
 * doubled quotes; blank lines are left out.
 */
export async function* readTable(
  text: AsyncIterable<string>,
  separator: "," | "\t",
): AsyncGenerator<TableRow> {
  let header: readonly string[] | null = null;
  for await (const { at, fields } of readRecords(text, separator)) {
    if (!fields) yield { at: Math.max(1, at - 1), fields: null };
    else if (!header) header = fields.map((name) => name.trim());
    else if (fields.length !== header.length) {
      const problem = "a row with another number of fields than the header";
      yield { at: at - 1, problem, fields: null };
    } else {
      const pairs = header.map((name, i) => [name, fields[i]!] as const);
      yield { at: at - 1, fields: Object.fromEntries(pairs) };
    }
  }
}

interface Table {
  readonly at: Piece["at"];
  readonly fields: readonly string[] | null;
}

async function* readRecords(text: AsyncIterable<string>, separator: string): AsyncGenerator<Table> {
  const special = new RegExp(`["\\r\\n${separator}]`, "g");
  let fields: string[] = [];
  let field = "";
  let chars = 0;
  let at = 0;
  let state: "start" | "plain" | "quoted" | "closing" = "start";
  let afterReturn = false;
  const add = (part: string) => {
    chars += part.length;
    if (chars <= MAX_ROW_CHARS) field += part;
  };
  const endField = () => {
    fields.push(field);
    field = "";
    state = "start";
  };
  const endRecord = (): Table | null => {
    const isBlank = fields.length === 0 && field === "" && state === "start";
    endField();
    const whole = chars <= MAX_ROW_CHARS ? fields : null;
    fields = [];
    chars = 0;
    if (isBlank) return null;
    at++;
    return { at, fields: whole };
  };
  for await (const chunk of text) {
    for (let i = 0; i < chunk.length; ) {
      special.lastIndex = i;
      const next = state === "quoted" ? chunk.indexOf('"', i) : (special.exec(chunk)?.index ?? -1);
      const end = next < 0 ? chunk.length : next;
      if (end > i) {
        add(chunk.slice(i, end));
        if (state === "start") state = "plain";
        afterReturn = false;
      }
      i = end;
      if (i === chunk.length) break;
      const letter = chunk[i++]!;
      if (state === "quoted") state = "closing";
      else if (letter === '"') {
        // Doubled quotes stand for one; quotes inside an unquoted field are literal.
        if (state === "closing" || state === "plain") add('"');
        state = state === "plain" ? "plain" : "quoted";
      } else if (letter === separator) endField();
      else if (!(letter === "\n" && afterReturn)) {
        const record = endRecord();
        if (record) yield record;
      }
      afterReturn = letter === "\r";
    }
  }
  const last = endRecord();
  if (last) yield last;
}
