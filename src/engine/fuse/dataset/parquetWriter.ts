import type { SchemaElement } from "hyparquet";
import { type ExportRow, exportFields, exportRow, type ParquetFormat } from "./exportRows.ts";
import type { FusedRecord } from "./records.ts";

/** Numbers in a row group, which is held in memory while it is written. */
const GROUP_NUMBERS = 2 ** 20;

export interface ParquetOptions {
  readonly format: ParquetFormat;
  /** Number of sources of every record. */
  readonly sources: number;
  /** Writes the file's bytes in order. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Writes documents as a Parquet file with the references' field names, row group by row group. */
export async function writeParquet(
  records: AsyncIterable<FusedRecord>,
  { format, sources, write }: ParquetOptions,
): Promise<void> {
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
  const fields = exportFields(format, sources);
  const columns = [...fields.ids, ...fields.logits, ...fields.indices, ...fields.metrics];
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: schemaOf(fields),
    statistics: false,
    createdBy: "FuseStudio",
  });
  /** Passes on the written bytes while the writer keeps counting. */
  const drain = async () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    await write(bytes);
  };
  let group: ExportRow[] = [];
  let numbers = 0;
  const endGroup = async () => {
    if (group.length === 0) return;
    const columnData = columns.map((name) => ({
      name,
      data: group.map((row) => row[name]),
      offsetIndex: false,
    }));
    await parquet.write({ columnData, rowGroupSize: group.length });
    await drain();
    group = [];
    numbers = 0;
  };
  for await (const record of records) {
    group.push(exportRow(record, format));
    numbers += record.pivot.tokens.ids.length * (3 + 2 * record.pivot.k * (1 + sources));
    if (numbers >= GROUP_NUMBERS) await endGroup();
  }
  await endGroup();
  await parquet.finish();
  await drain();
}

/** Integers and logits in 32 bits: Python reads lists of them like those of 64. */
function schemaOf(fields: ReturnType<typeof exportFields>): SchemaElement[] {
  const count = Object.values(fields).reduce((sum, names) => sum + names.length, 0);
  const int = { type: "INT32" } as const;
  const float = { type: "FLOAT" } as const;
  return [
    { name: "root", num_children: count },
    ...fields.ids.flatMap((name) => list(name, [{ ...int, ...ELEMENT }])),
    ...fields.logits.flatMap((name) => list(name, list("element", [{ ...float, ...ELEMENT }]))),
    ...fields.indices.flatMap((name) => list(name, list("element", [{ ...int, ...ELEMENT }]))),
    ...fields.metrics.map(
      (name): SchemaElement => ({ name, type: "DOUBLE", repetition_type: "OPTIONAL" }),
    ),
  ];
}

const ELEMENT = { name: "element", repetition_type: "OPTIONAL" } as const;

/** A Parquet list: an optional group of a repeated group of elements. */
const list = (name: string, element: SchemaElement[]): SchemaElement[] => [
  { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ...element,
];
