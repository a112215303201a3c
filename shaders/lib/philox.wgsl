// Philox4x32-10, a counter-based generator: four 32-bit words that are a pure function of counter and
// key, so draws do not depend on how or in which order the work is cut.
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011)

// The upper and the lower word of a 64-bit product.
fn wide_product(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return vec2u((a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u), a * b);
}

fn philox(counter: vec4u, first_key: vec2u) -> vec4u {
  var c = counter;
  var key = first_key;
  for (var round = 0u; round < 10u; round++) {
    let left = wide_product(0xd2511f53u, c.x);
    let right = wide_product(0xcd9e8d57u, c.z);
    c = vec4u(right.x ^ c.y ^ key.x, right.y, left.x ^ c.w ^ key.y, left.y);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
