// Sums of a model's change δ = x - base before and after sparsification, in the tile's unit; one row
// per model.
//   facts: Σ|δ|, Σ|kept δ|, Σ(kept δ)², number of kept δ ≠ 0
// constants: as in lib/task_vectors.wgsl
// needs lib/task_vectors.wgsl
fn look_at(base: vec4f, x: array<vec4f, MODELS>) { find_spread(base, x); }

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let change = delta(base, x[m]);
  let d = tile.unit * change;
  let is_left = is_kept(base, x, m);
  let kept = select(vec4f(0.0), d, is_left);
  let count = select(vec4f(0.0), vec4f(1.0), kept != vec4f(0.0));
  if (ARITHMETIC == F32) { return mat4x4f(abs(d), abs(kept), kept * kept, count); }
  // Squares are rounded as they are, not in the tile's unit: of tiny ones nothing is left in f16.
  let square = select(vec4f(0.0), stepped(change * change), is_left);
  // The unit twice, since its square may lie beyond float32.
  return mat4x4f(abs(d), abs(kept), tile.unit * (tile.unit * square), count);
}
