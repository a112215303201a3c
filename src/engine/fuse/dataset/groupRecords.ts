import type { Groups } from "../align/types.ts";
import { ByteReader, ByteWriter } from "./packing.ts";

/** Encodes the groups of two texts, which are kept between the stages of a fusion. */
export function encodeGroups({ offsets, positions }: Groups): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.varint(offsets.length);
  out.rising(offsets);
  out.varint(positions.length);
  out.ids(positions);
  return out.finish();
}

export function decodeGroups(bytes: Uint8Array): Groups {
  const from = new ByteReader(bytes);
  const offsets = from.rising(from.count());
  const positions = from.ids(from.count());
  from.end();
  return { offsets, positions };
}
