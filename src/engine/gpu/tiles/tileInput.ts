import type { OutputDType } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { ShaderConstants } from "../shaderConstants.ts";
import { type Layout, type Part, paddedRow } from "./tiling.ts";

/** Dtype code for tiles whose segments have several formats. */
const MIXED = 3;

/** PART of shaders/lib/tile.wgsl. */
const PARTS = { tensor: 0, row: 1, column: 2 } as const satisfies Record<Part, number>;

/** A range of a tensor, in whole rows of its layout or in pieces of a row. */
export interface TileRange {
  /** Index of its first element within the tensor, below 2^32. */
  readonly first: number;
  readonly elementCount: number;
  readonly layout: Layout;
}

/** The same range of a tensor from every source: the base first, where there is one. */
export interface TileInput extends TileRange {
  /** Dtype that rules round each step to; float32 where absent. */
  readonly arithmetic?: OutputDType | undefined;
  readonly segments: readonly Segment[];
  /** Number of segments to be derived from these; 0 where absent. */
  readonly derived?: number;
  /** These, as stored float32, where they come from the CPU. */
  readonly derivedBytes?: readonly Uint8Array<ArrayBuffer>[];
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
export function rowsOf({ first, elementCount, layout }: TileRange): TileRows {
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
export function partsOf(tile: TileRange): { readonly first: number; readonly count: number } {
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
    software = false,
  }: {
    readonly part?: Part;
    readonly each?: number;
    readonly arithmetic?: OutputDType | undefined;
    readonly derived?: number | undefined;
    /** Whether the adapter computes on the CPU. */
    readonly software?: boolean;
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
    // NaNs that a CPU makes have no low bits, nor have those of bf16.
    SHORT_NANS: software && stored === PLAIN_FORMATS.BF16.code,
  };
}

/** Bytes of `Tile` in shaders/lib/tile.wgsl before its segments. */
export const TILE_HEADER_BYTES = 32;

/** Bytes of the uniform of a tile with so many segments. */
export const tileUniformBytes = (segments: number) => TILE_HEADER_BYTES + 16 * segments;

/** The uniform's header of a tile, for one of its models, with changes measured in `unit`. */
export function tileHeader(
  tile: TileRange,
  { model = 0, unit = 1 }: { readonly model?: number; readonly unit?: number } = {},
): Uint32Array<ArrayBuffer> {
  const { rows, length, padded, firstRow, firstColumn } = rowsOf(tile);
  const first = firstRow * paddedRow(tile.layout.rowLength) + firstColumn;
  const last = tile.layout.part === "tensor" ? length : padded;
  const words = Uint32Array.of((rows - 1) * padded + last, first, model, padded / 4, 0, length);
  new Float32Array(words.buffer)[4] = unit;
  return words;
}

/**
 * A tile's segments for upload: where each lies, for the uniform, its padded bytes, and where those
 * begin that are derived from them.
 */
export function packSegments(tile: TileInput) {
  const { rows, padded } = rowsOf(tile);
  const { derived = 0 } = tile;
  const words = new Uint32Array(4 * (tile.segments.length + derived));
  let offset = 0;
  const place = (i: number, code: number, byteLength: number) => {
    const at = offset;
    words.set([at / 8, code], 4 * i);
    offset += byteLength;
    return at;
  };
  const segments = tile.segments.map(({ format, bytes }, i) => {
    invariant(
      bytes.byteLength === formatBytes(format, tile.elementCount),
      "a segment holds the tile's elements",
    );
    const rowsInFull = spreadRows(bytes, rows, formatBytes(format, padded));
    const placed = padTo16(rowsInFull);
    return { offset: place(i, format.code, placed.byteLength), bytes: placed };
  });
  const derivedOffsets = Array.from({ length: derived }, (_, i) =>
    place(tile.segments.length + i, PLAIN_FORMATS.F32.code, 4 * rows * padded),
  );
  const derivedSegments = (tile.derivedBytes ?? []).map((bytes, i) => ({
    offset: derivedOffsets[i]!,
    bytes: spreadRows(bytes, rows, formatBytes(PLAIN_FORMATS.F32, padded)),
  }));
  return { words, segments: [...segments, ...derivedSegments], derivedOffsets };
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
