// Runs the conversions of lib/float.wgsl over words, for the tests that compare them with the CPU's.
// Linked constant MODE: 0 widens bf16, 1 widens f16 (the lower half of each word),
// 2 narrows to bf16, 3 narrows to f16.
// needs lib/float.wgsl
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&input)) { return; }
  let word = input[i];
  switch MODE {
    case 0u: { output[i] = bitcast<u32>(bf16_pair_to_f32(word).x); }
    case 1u: { output[i] = bitcast<u32>(f16_pair_to_f32(word).x); }
    case 2u: { output[i] = f32_to_bf16(bitcast<f32>(word)); }
    default: { output[i] = f32_to_f16(bitcast<f32>(word)); }
  }
}
