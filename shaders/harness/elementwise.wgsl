// Calls a rule's `merge` for every element of a tile and writes the result in the output's dtype.
// A rule supplies `fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f`, four elements at once.
//
// `nonfinite` counts the quads that hold a NaN or an infinity after rounding: a merge must never
// write one silently.
// needs lib/tile.wgsl
@group(0) @binding(3) var<storage, read_write> merged: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> nonfinite: atomic<u32>;

const LANES = 64u;

fn pack_f16(v: vec4f) -> vec2u {
  return vec2u(
    f32_to_f16(v.x) | (f32_to_f16(v.y) << 16u),
    f32_to_f16(v.z) | (f32_to_f16(v.w) << 16u),
  );
}

// All ones in a 16-bit exponent: shifted so that both halves are tested by one mask.
fn has_nonfinite_half(words: vec2u, exponent: u32) -> bool {
  let low = (words & vec2u(exponent)) == vec2u(exponent);
  let high = ((words >> vec2u(16u)) & vec2u(exponent)) == vec2u(exponent);
  return any(low) || any(high);
}

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  if (quad * 4u >= tile.element_count) { return; }
  first_element = tile.first_element + 4u * quad;
  if (PART == ROW) { row_or_column = quad / tile.row_quads; }
  if (PART == COLUMN) { row_or_column = 4u * (quad % tile.row_quads); }
  let v = merge(load_base(quad), load_models(quad));
  var bad = false;
  if (OUTPUT == F32) {
    let bits = bitcast<vec4u>(v);
    merged[2u * quad] = bits.xy;
    merged[2u * quad + 1u] = bits.zw;
    bad = any((bits & vec4u(0x7f800000u)) == vec4u(0x7f800000u));
  } else if (OUTPUT == BF16) {
    let bits = bf16_bits(v);
    merged[quad] = (bits.xz >> vec2u(16u)) | bits.yw;
    bad = any((bits & vec4u(0x7f800000u)) == vec4u(0x7f800000u));
  } else {
    let words = pack_f16(v);
    merged[quad] = words;
    bad = has_nonfinite_half(words, 0x7c00u);
  }
  if (bad) { atomicAdd(&nonfinite, 1u); }
}
