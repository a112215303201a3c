// Numbers of elements that each model changed alone, and that others changed too; one row per model.
//   facts: alone, shared, 0, 0                         constants: ε
// needs merge/ram.wgsl
fn look_at(base: vec4f, x: array<vec4f, MODELS>) {}

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let count = count_changed(base, x);
  let own = select(vec4f(0.0), vec4f(1.0), has_changed(base, x[m]));
  let alone = select(vec4f(0.0), own, count == vec4f(1.0));
  return mat4x4f(alone, own - alone, vec4f(0.0), vec4f(0.0));
}
