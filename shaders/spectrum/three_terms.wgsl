// z = a·z − b·x − c·p, four values to an invocation, over a grid `width` invocations wide: a step of
// Chebyshev's recurrence.
struct Shape {
  quads: u32,
  width: u32,
  a: f32,
  b: f32,
  c: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> p: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * shape.width + id.x;
  if (i < shape.quads) { z[i] = shape.a * z[i] - shape.b * x[i] - shape.c * p[i]; }
}
