// y[i] = scale · x[i], four values to an invocation, over a grid `width` invocations wide.
struct Shape {
  quads: u32,
  width: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * shape.width + id.x;
  if (i < shape.quads) { y[i] = shape.scale * x[i]; }
}
