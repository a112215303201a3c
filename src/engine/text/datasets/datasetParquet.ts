import type { Compressors, FileMetaData, SchemaTree } from "hyparquet";
import { EngineError } from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";

/** Largest page, unpacked; writers make pages of a MiB. */
const MAX_PAGE_BYTES = 256 << 20;
/** Largest row group read whole, uncompressed; larger ones are read in parts. */
const MAX_GROUP_BYTES = 256 << 20;
const MAX_FOOTER_BYTES = 64 << 20;
const SLICE_ROWS = 1000;

/**
 * Rows of a Parquet file, as objects; the reader is loaded on first use. A row group of more bytes
 * than `mostGroupBytes` is refused, since nested lists are read by whole groups.
 */
export async function* readParquet(
  source: ByteSource,
  file: string,
  { mostGroupBytes = Number.POSITIVE_INFINITY }: { readonly mostGroupBytes?: number } = {},
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import("hyparquet");
  const compressors = await openCompressors();
  const buffer = {
    byteLength: source.byteLength,
    slice: async (start: number, end = source.byteLength) => {
      if (!(start >= 0 && end <= source.byteLength && start <= end)) {
        throw new RangeError(`bytes ${start} to ${end} of ${source.byteLength}`);
      }
      return (await source.read(start, end - start)).buffer;
    },
  };
  await checkFooter(source, file);
  const metadata = await trying(file, parquetMetadataAsync(buffer));
  const schema = await trying(file, Promise.resolve(metadata).then(parquetSchema));
  checkColumns(metadata, schema, file);
  const largest = metadata.row_groups.reduce(
    (most, { total_byte_size, num_rows }) => {
      return total_byte_size > most.total_byte_size ? { total_byte_size, num_rows } : most;
    },
    { total_byte_size: 0n, num_rows: 0n },
  );
  if (largest.total_byte_size > mostGroupBytes) {
    const rows = Number(largest.num_rows);
    const bytes = Number(largest.total_byte_size);
    const fit = Math.max(1, Math.floor((rows * mostGroupBytes) / bytes));
    const message = `${file} has ${bytes} bytes in a group of ${rows} rows, which are read together; at most ${mostGroupBytes} fit. Write it again with row_group_size=${fit}.`;
    throw new EngineError("usage", message, { file, groupBytes: bytes });
  }
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    const rows = Number(group.total_byte_size) > MAX_GROUP_BYTES ? SLICE_ROWS : end - start;
    for (let from = start; from < end; from += rows) {
      const range = { rowStart: from, rowEnd: Math.min(from + rows, end) };
      yield* await trying(
        file,
        parquetReadObjects({ file: buffer, metadata, compressors, ...range }),
      );
    }
    start = end;
  }
}

/** Compressors of pyarrow (Snappy), polars (zstd) and Spark (Snappy, gzip). */
async function openCompressors(): Promise<Compressors> {
  const [{ snappyUncompress }, { gunzipSync }, { decompress: unzstd }] = await Promise.all([
    import("hyparquet"),
    import("fflate"),
    import("fzstd"),
  ]);
  const unpacked = (length: number) => {
    if (length <= MAX_PAGE_BYTES) return new Uint8Array(length);
    throw new Error(`a page has ${length} bytes; at most ${MAX_PAGE_BYTES} are read`);
  };
  return {
    SNAPPY(packed, length) {
      const page = unpacked(length);
      snappyUncompress(packed, page);
      return page;
    },
    ZSTD: (packed, length) => unzstd(packed, unpacked(length)),
    GZIP: (packed, length) => gunzipSync(packed, { out: unpacked(length) }),
  };
}

/**
 * Checks that every row group has the schema's columns: the reader would ignore errors in others,
 * which ends a process.
 */
function checkColumns({ row_groups }: FileMetaData, schema: SchemaTree, file: string): void {
  const leaves = (node: SchemaTree): string[] =>
    node.children.length > 0 ? node.children.flatMap(leaves) : [JSON.stringify(node.path)];
  const wanted = schema.children.flatMap(leaves).join();
  for (const [i, { columns }] of row_groups.entries()) {
    const found = columns.map(({ meta_data }) => JSON.stringify(meta_data?.path_in_schema));
    const placed = columns.every(
      ({ meta_data: data }) =>
        typeof data?.data_page_offset === "bigint" &&
        typeof data.total_compressed_size === "bigint",
    );
    if (placed && found.join() === wanted) continue;
    const message = `${file} is damaged: row group ${i} has not the columns of its schema.`;
    throw new EngineError("bad-header", message, { file, rowGroup: i });
  }
}

async function checkFooter(source: ByteSource, file: string): Promise<void> {
  const size = source.byteLength;
  const tail = size >= 12 ? await source.read(size - 8, 8) : new Uint8Array(8);
  const footer = new DataView(tail.buffer).getUint32(0, true);
  if (footer > Math.min(size - 12, MAX_FOOTER_BYTES)) {
    const message = `${file} is no whole Parquet file: its footer would have ${footer} of ${size} bytes.`;
    throw new EngineError("bad-header", message, { file, footer, byteLength: size });
  }
}

async function trying<T>(file: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message = `${file} cannot be read as Parquet: ${why.slice(0, 200)}. Files packed with Snappy, zstd or gzip can, or not at all; write it again with compression="snappy".`;
    throw new EngineError("bad-header", message, { file }, error);
  }
}
