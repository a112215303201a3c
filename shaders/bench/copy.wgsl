// Moves bytes, the yardstick of `npm run bench -- merge`; no merge uses it. Linked constant OUTPUT:
// BF16 unpacks every value and rounds it again, as a merge must; F32 moves words as they are.
// needs lib/float.wgsl
@group(0) @binding(0) var<storage, read> given: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4u>;

const LANES = 64u;
const BF16 = 1u;

fn round_pair(word: u32) -> u32 {
  let v = bf16_pair_to_f32(word);
  return f32_to_bf16(v.x) | (f32_to_bf16(v.y) << 16u);
}

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&given)) { return; }
  let words = given[i];
  if (OUTPUT == BF16) {
    copied[i] = vec4u(round_pair(words.x), round_pair(words.y), round_pair(words.z), round_pair(words.w));
  } else {
    copied[i] = words;
  }
}
