// Importance of a change in a narrow arithmetic, whose rounding may make it negative: bits in the order of
// the values, without the lowest, which is 0 in these dtypes.
// needs lib/importance.wgsl
fn score(quad: u32, m: u32) -> vec4f {
  let bits = bitcast<vec4u>(importance_of(load_base(quad), load_models(quad)));
  let ordered = select(bits | vec4u(0x80000000u), ~bits, bits >= vec4u(0x80000000u));
  return bitcast<vec4f>(ordered >> vec4u(1u));
}
