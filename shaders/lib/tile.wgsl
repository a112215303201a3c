// A tile: the same range of one tensor from every source, each as stored, in one buffer. Elements are
// processed in quads of four neighbours, which are 16 bytes of f32 or 8 bytes of a 16-bit type.
//
// Linked constants: SEGMENTS (the base, where there is one, then the models), HAS_BASE, MODELS;
// STORED (the dtype of every segment, or MIXED) and OUTPUT (the dtype of the result), linked since
// branching on them at every quad takes up to four times as long; DERIVED (how many of the segments at
// the end, which are among the models, were derived from the others, in f32); PART (the unit that a rule's
// constants belong to: 0 the tensor, 1 each row, 2 each column) and CONSTANTS (how many each row or
// column has); ARITHMETIC (the dtype that rules with rounded steps round to); SHORT_NANS (whether no NaN
// can occur that rounding to bf16 would carry into the sign: the test costs a third of the rounding).
//
// Rows are padded to whole quads with zeros, so that a quad lies in one row. By tensor, a tile is one
// row.
// needs lib/float.wgsl
const F32 = 0u;
const BF16 = 1u;
const F16 = 2u;
const MIXED = 3u;

const ROW = 1u;
const COLUMN = 2u;

struct Tile {
  // Its rows' padding included.
  element_count: u32,
  // Of the tensor, where the tile begins.
  first_element: u32,
  // The one that values are derived of.
  model: u32,
  row_quads: u32,
  // A power of two that rules measure changes in, so that squares of tiny ones do not vanish.
  unit: f32,
  // Elements of a row without its padding.
  row_length: u32,
  // Per segment: first vec2u in the arena, dtype.
  segments: array<vec4u, SEGMENTS>,
}

@group(0) @binding(0) var<storage, read> arena: array<vec2u>;
@group(0) @binding(1) var<storage, read> constants: array<f32>;
@group(0) @binding(2) var<uniform> tile: Tile;

// The first of the four elements at hand, counted from the tensor's start, for rules that depend on
// it: a harness sets it before it calls a rule.
var<private> first_element: u32;

// The row or the first column, within the tile, of the elements at hand: set by a harness that calls
// a rule with constants.
var<private> row_or_column: u32;

// The constant i of a rule for each of the four elements at hand, whatever PART is.
fn constant(i: u32) -> vec4f {
  if (PART == ROW) { return vec4f(constants[row_or_column * CONSTANTS + i]); }
  if (PART == COLUMN) {
    let at = row_or_column * CONSTANTS + i;
    let two = at + CONSTANTS;
    return vec4f(constants[at], constants[two], constants[two + CONSTANTS], constants[two + 2u * CONSTANTS]);
  }
  return vec4f(constants[i]);
}

// The bits of values rounded to bf16, in the upper half of each word.
fn bf16_bits(v: vec4f) -> vec4u {
  if (SHORT_NANS) { return bf16_bits_of_numbers(bitcast<vec4u>(v)); }
  return bitcast<vec4u>(round_to_bf16(v)) & vec4u(0xffff0000u);
}

// The outcome of one step of a rule that computes in ARITHMETIC; in F32 there is nothing to round.
fn stepped(v: vec4f) -> vec4f {
  if (ARITHMETIC == BF16) {
    if (SHORT_NANS) { return bitcast<vec4f>(bf16_bits_of_numbers(bitcast<vec4u>(v))); }
    return round_to_bf16(v);
  }
  if (ARITHMETIC == F16) { return round_to_f16(v); }
  return v;
}

// A stored value as ARITHMETIC has it; what is stored in it already stays as it is.
fn narrowed(v: vec4f) -> vec4f {
  if (STORED == ARITHMETIC) { return v; }
  return stepped(v);
}

fn is_stored_as(dtype: u32, stated: u32) -> bool {
  return STORED == dtype || (STORED == MIXED && stated == dtype);
}

fn load_quad(segment: u32, quad: u32) -> vec4f {
  let where_it_is = tile.segments[segment];
  if (segment >= SEGMENTS - DERIVED || is_stored_as(F32, where_it_is.y)) {
    let i = where_it_is.x + 2u * quad;
    return vec4f(bitcast<vec2f>(arena[i]), bitcast<vec2f>(arena[i + 1u]));
  }
  let words = arena[where_it_is.x + quad];
  if (is_stored_as(BF16, where_it_is.y)) {
    return vec4f(bf16_pair_to_f32(words.x), bf16_pair_to_f32(words.y));
  }
  return vec4f(f16_pair_to_f32(words.x), f16_pair_to_f32(words.y));
}

fn load_base(quad: u32) -> vec4f {
  if (HAS_BASE) { return load_quad(0u, quad); }
  return vec4f(0.0);
}

fn load_model(m: u32, quad: u32) -> vec4f { return load_quad(m + select(0u, 1u, HAS_BASE), quad); }

fn load_models(quad: u32) -> array<vec4f, MODELS> {
  var x: array<vec4f, MODELS>;
  for (var m = 0u; m < MODELS; m++) { x[m] = load_model(m, quad); }
  return x;
}
