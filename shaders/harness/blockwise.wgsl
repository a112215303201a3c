// Sums a rule's four facts over fixed blocks of 2,048 elements: one partial per block and model,
// finished in float64 on the host. Blocks are counted from the tensor's first element and the tree
// is fixed, so a device gives the same bits however the tensor is cut into tiles. Within a block a
// sum of positive terms is off by at most 8 + 2 + 6 roundings, about 1e-6 of itself.
//
// A rule supplies `fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f`: column k holds
// fact k of four neighbouring elements. Facts of zeros must be zeros: the tile's end is padded so.
// needs lib/tile.wgsl
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

const LANES = 64u;
const QUADS_PER_LANE = 8u;
const ONES = vec4f(1.0);

var<workgroup> sums: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var totals: array<mat4x4f, MODELS>;
  for (var step = 0u; step < QUADS_PER_LANE; step++) {
    let quad = (group.x * QUADS_PER_LANE + step) * LANES + lane;
    if (quad * 4u < tile.element_count) {
      first_element = tile.first_element + 4u * quad;
      let base = load_base(quad);
      let x = load_models(quad);
      for (var m = 0u; m < MODELS; m++) { totals[m] += facts(base, x, m); }
    }
  }
  for (var m = 0u; m < MODELS; m++) {
    let t = totals[m];
    workgroupBarrier();
    sums[lane] = vec4f(dot(t[0], ONES), dot(t[1], ONES), dot(t[2], ONES), dot(t[3], ONES));
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half) { sums[lane] += sums[lane + half]; }
    }
    if (lane == 0u) { partials[group.x * MODELS + m] = sums[0]; }
  }
}
