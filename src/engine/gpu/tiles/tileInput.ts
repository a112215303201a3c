import type { OutputDType } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { ShaderConstants } from "../shaderConstants.ts";
import { type Layout, type Part, paddedRow } from "./tiling.ts";

/** Dtype code for tiles whose segments have several formats. */
const MIXED = 3;

/** PART of shaders/lib/tile.wgsl. */
const PARTS = { tensor: 0, row: 1, column: 2 } as const satisfies Record<Part, number>;

/** The same range of a tensor from every source: the base first, where there is one. */
export interface TileInput {
  /** Index of its first element within the tensor, below 2^32. */
  readonly first: number;
  readonly elementCount: number;
  readonly layout: Layout;
  readonly hasBase: boolean;
  /** Dtype that the rule rounds each step to; float32 where absent. */
  readonly arithmetic?: OutputDType | undefined;
  readonly segments: readonly Segment[];
  /** Number of segments at the end that were derived from the others; 0 where absent. */
  readonly derived?: number;
}

/** A range of one source's elements, as stored. */
export interface Segment {
  readonly format: WeightFormat;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Position of a tile within its tensor's rows, and the layout of its rows on the GPU. */
export interface TileRows {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly rows: number;
  /** Elements of each row that are in the tile: all of them, unless it is a piece of a row. */
  readonly length: number;
  /** The same, padded with zeros to whole quads. */
  readonly padded: number;
}

/** Rows of a tile. */
export function rowsOf({
  first,
  elementCount,
  layout,
}: Pick<TileInput, "first" | "elementCount" | "layout">): TileRows {
  const length = Math.min(layout.rowLength, elementCount);
  return {
    firstRow: Math.floor(first / layout.rowLength),
    firstColumn: first % layout.rowLength,
    rows: elementCount / length,
    length,
    padded: paddedRow(length),
  };
}

/** Parts of the tensor that a tile touches: the index of the first, and how many. */
export function partsOf(tile: TileInput): { readonly first: number; readonly count: number } {
  const { firstRow, firstColumn, rows, length } = rowsOf(tile);
  if (tile.layout.part === "tensor") return { first: 0, count: 1 };
  return tile.layout.part === "row"
    ? { first: firstRow, count: rows }
    : { first: firstColumn, count: length };
}

/** Linked constants of shaders/lib/tile.wgsl for segments of these formats. */
export function tileConstants(
  segments: readonly WeightFormat[],
  hasBase: boolean,
  output: OutputDType,
  {
    part = "tensor",
    each = 0,
    arithmetic = "F32",
    derived = 0,
  }: {
    readonly part?: Part;
    readonly each?: number;
    readonly arithmetic?: OutputDType | undefined;
    readonly derived?: number | undefined;
  } = {},
): ShaderConstants {
  const codes = new Set(segments.slice(0, segments.length - derived).map(({ code }) => code));
  const [stored = MIXED] = codes.size === 1 ? codes : [];
  return {
    SEGMENTS: segments.length,
    MODELS: segments.length - Number(hasBase),
    HAS_BASE: hasBase,
    STORED: stored,
    OUTPUT: PLAIN_FORMATS[output].code,
    DERIVED: derived,
    PART: PARTS[part],
    CONSTANTS: each,
    ARITHMETIC: PLAIN_FORMATS[arithmetic].code,
  };
}

/** Bytes of `Tile` in shaders/lib/tile.wgsl before its segments. */
const HEADER_BYTES = 32;

/** Bytes of the uniform of a tile with so many segments. */
export const tileUniformBytes = (segments: number) => HEADER_BYTES + 16 * segments;

/** A tile for upload: its uniform, and each segment's offset and bytes. */
export function packTile(
  tile: TileInput,
  { model = 0, unit = 1 }: { readonly model?: number; readonly unit?: number },
) {
  const { rows, length, padded, firstRow, firstColumn } = rowsOf(tile);
  const words = new Uint32Array(tileUniformBytes(tile.segments.length) / 4);
  const first = firstRow * paddedRow(tile.layout.rowLength) + firstColumn;
  const last = tile.layout.part === "tensor" ? length : padded;
  words.set([(rows - 1) * padded + last, first, model, padded / 4]);
  new Float32Array(words.buffer)[4] = unit;
  words[5] = length;
  let offset = 0;
  const segments = tile.segments.map(({ format, bytes }, i) => {
    invariant(
      bytes.byteLength === formatBytes(format, tile.elementCount),
      "a segment holds the tile's elements",
    );
    words.set([offset / 8, format.code], HEADER_BYTES / 4 + 4 * i);
    const rowsInFull = spreadRows(bytes, rows, formatBytes(format, padded));
    const placed = { offset, bytes: padTo16(rowsInFull) };
    offset += placed.bytes.byteLength;
    return placed;
  });
  return { words, segments };
}

/** Rows, each padded with zeros to so many bytes. */
function spreadRows(bytes: Uint8Array<ArrayBuffer>, rows: number, rowBytes: number) {
  const own = bytes.byteLength / rows;
  if (rows === 1 || own === rowBytes) return bytes;
  const spread = new Uint8Array(rows * rowBytes);
  for (let r = 0; r < rows; r++) spread.set(bytes.subarray(r * own, (r + 1) * own), r * rowBytes);
  return spread;
}

/** Rows without their padding. */
export function joinRows(
  bytes: Uint8Array<ArrayBuffer>,
  { rows, length, padded }: TileRows,
  format: WeightFormat,
): Uint8Array<ArrayBuffer> {
  const own = formatBytes(format, length);
  if (rows === 1 || length === padded) return bytes.subarray(0, rows * own);
  const joined = new Uint8Array(rows * own);
  for (let r = 0; r < rows; r++) {
    const start = r * formatBytes(format, padded);
    joined.set(bytes.subarray(start, start + own), r * own);
  }
  return joined;
}

/** Bytes padded with zeros to a multiple of 16, so that the last quad reads no stale data. */
function padTo16(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const padded = Math.ceil(bytes.byteLength / 16) * 16;
  if (padded === bytes.byteLength) return bytes;
  const copy = new Uint8Array(padded);
  copy.set(bytes);
  return copy;
}
