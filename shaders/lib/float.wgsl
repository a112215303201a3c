// bf16 and f16 by integer operations, so that CPU and GPU agree bit for bit and no driver flushes
// or rounds on the way. Two values lie in one word, the lower half first.
//
// Narrowing rounds to nearest, ties to even. NaN stays NaN: sign and upper payload bits are kept and
// the quiet bit is set.

fn bf16_pair_to_f32(word: u32) -> vec2f {
  return vec2f(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u));
}

fn f32_to_bf16(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let rounded = (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
  let quiet = (bits >> 16u) | 0x40u;
  return select(rounded, quiet, (bits & 0x7fffffffu) > 0x7f800000u);
}

fn f16_to_f32(half: u32) -> f32 {
  let sign = (half & 0x8000u) << 16u;
  let exponent = (half >> 10u) & 0x1fu;
  let fraction = half & 0x3ffu;
  // Normal: rebias by 127 - 15.
  var bits = ((exponent + 112u) << 23u) | (fraction << 13u);
  if (exponent == 31u) {
    bits = 0x7f800000u | (fraction << 13u);
  } else if (exponent == 0u) {
    // Subnormal: fraction · 2^-24, normalised by its leading one.
    let lead = firstLeadingBit(fraction);
    let normal = ((lead + 103u) << 23u) | ((fraction << (23u - (lead & 31u))) & 0x7fffffu);
    bits = select(normal, 0u, fraction == 0u);
  }
  return bitcast<f32>(sign | bits);
}

fn f16_pair_to_f32(word: u32) -> vec2f {
  return vec2f(f16_to_f32(word & 0xffffu), f16_to_f32(word >> 16u));
}

fn f32_to_f16(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return sign | 0x7e00u | ((magnitude >> 13u) & 0x3ffu);
  }
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude >= 0x38800000u) {
    let rebiased = magnitude - 0x38000000u;
    return sign | ((rebiased + 0xfffu + ((rebiased >> 13u) & 1u)) >> 13u);
  }
  // Below 2^-25, and at it (a tie with the even zero), the result is zero.
  if (magnitude <= 0x33000000u) { return sign; }
  // Subnormal: shift the full significand right by what the exponent lacks.
  let shift = 126u - (magnitude >> 23u);
  let significand = (magnitude & 0x7fffffu) | 0x800000u;
  let kept = significand >> shift;
  let rest = significand & ((1u << shift) - 1u);
  let half = 1u << (shift - 1u);
  let up = rest > half || (rest == half && (kept & 1u) == 1u);
  return sign | (kept + select(0u, 1u, up));
}

// Bits of float32 rounded to bf16; those of a NaN with low bits may become a number's.
fn bf16_bits_of_numbers(bits: vec4u) -> vec4u {
  return (bits + 0x7fffu + ((bits >> vec4u(16u)) & vec4u(1u))) & vec4u(0xffff0000u);
}

// Each value rounded to bf16 and widened again; four at once, since rules do it at every step.
fn round_to_bf16(v: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(v);
  let rounded = bf16_bits_of_numbers(bits);
  return select(bitcast<vec4f>(rounded), v, (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u));
}

// Each value rounded to f16 and widened again.
fn round_to_f16(v: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(v);
  let magnitude = bits & vec4u(0x7fffffffu);
  let rounded = (bits + 0xfffu + ((bits >> vec4u(13u)) & vec4u(1u))) & vec4u(0xffffe000u);
  // Subnormals are multiples of 2^-24; 65520 and above round to infinity.
  let subnormal = round(v * 16777216.0) / 16777216.0;
  let infinite = bitcast<vec4f>((bits & vec4u(0x80000000u)) | vec4u(0x7f800000u));
  var half = select(bitcast<vec4f>(rounded), subnormal, magnitude < vec4u(0x38800000u));
  half = select(half, infinite, magnitude >= vec4u(0x477ff000u));
  return select(half, v, magnitude > vec4u(0x7f800000u));
}
