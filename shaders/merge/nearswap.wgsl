// out = share · x + (1 - share) · base, share = t / |base - x| held within [0, 1]: a value moves by t at
// most.                                                constants: t, smallest distance
fn swapped_share(base: vec4f, x: vec4f) -> vec4f {
  let apart = max(abs(stepped(base - x)), vec4f(constants[1]));
  // Held below infinity, which the reciprocal of a small distance is in f16.
  let near = min(stepped(1.0 / apart), vec4f(3e38));
  return clamp(stepped(constants[0] * near), vec4f(0.0), vec4f(1.0));
}

fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  let from_base = narrowed(base);
  let to = narrowed(x[0]);
  let share = swapped_share(from_base, to);
  return stepped(stepped(share * to) + stepped(stepped(1.0 - share) * from_base));
}
