// TIES, Breadcrumbs, DARE, DELLA and SCE: each model's change δ = x - base is sparsified, changes against the elected sign
// may be dropped, and the weighted sum of the rest is added to the base:
//   out = base + Σ coefficientₘ δₘ
// (TIES arXiv 2306.01708, DARE arXiv 2311.03099, SCE arXiv 2408.07990)
//
// constants: elect (0, 1), normalise (0, 1), floor of the divisor, λ, slack; then twelve for each model:
//   weight, vote, rescale, thinning, p₀ … p₇
// A divisor Σ w of at most slack · Σ |w| counts as 0, and then as 1.
// Thinning: 0 keeps all. 1 keeps the largest |δ|, 2 the largest variance over the models: a score is
// kept above the bits (p₀ << 15 | p₁), and at them in elements before (p₂ << 16 | p₃). 3 keeps an
// element whose draw is below (p₀ << 16 | p₁), with the key (p₂ << 16 | p₃, p₄ << 16 | p₅).
// 4 keeps where a recorded draw in [0, 1), which the second half of the models holds, is below p₀.
// 5 keeps the largest |δ| as 1 does, without those that p₄ … p₇ keep likewise. 6 keeps an element with
// the probability p₀ + p₁ · place, which derive/ranks.wgsl finds, by draws with the key (p₃ << 16 | p₄,
// p₅ << 16 | p₆); 7 by draws recorded behind the models. What is kept is divided by it where p₂ is 1.
// Linked constants, since software adapters run every branch that is not decided when a shader is
// compiled: THINNING, the one of these that a tensor's models have, where they do not keep all; ELECTS,
// whether signs are elected; RESCALES, whether changes are rescaled; WEIGHED_VOTES, whether weights are
// the votes where steps are rounded.
// needs lib/delta.wgsl
// needs lib/delta_variance.wgsl
// needs lib/philox.wgsl
const HEADER = 5u;
const PER_MODEL = 12u;
const LARGEST = 1u;
const VARIANCE = 2u;
const RANDOM = 3u;
const RECORDED = 4u;
const BAND = 5u;
const RANKED = 6u;
const RECORDED_RANKED = 7u;

// Whole numbers below 2^32 travel as two exact floats.
fn two_halves(at: u32) -> u32 { return (u32(constants[at]) << 16u) | u32(constants[at + 1u]); }

fn is_selected(score: vec4f, at: u32) -> vec4<bool> {
  let bits = bitcast<vec4u>(score);
  let cut = vec4u((u32(constants[at]) << 15u) | u32(constants[at + 1u]));
  let index = vec4u(first_element) + vec4u(0u, 1u, 2u, 3u);
  return (bits > cut) | ((bits == cut) & (index < vec4u(two_halves(at + 2u))));
}

// The models' variance at the elements at hand, which all models are kept by.
var<private> spread: vec4f;

fn find_spread(base: vec4f, x: array<vec4f, MODELS>) {
  if (THINNING == VARIANCE) { spread = delta_variance(base, x); }
}

fn keep_probability(x: array<vec4f, MODELS>, m: u32) -> vec4f {
  let at = HEADER + PER_MODEL * m + 4u;
  return constants[at] + constants[at + 1u] * x[(MODELS - DERIVED + m) % MODELS];
}

fn is_kept(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4<bool> {
  let at = HEADER + PER_MODEL * m + 4u;
  let whole = vec4<bool>(constants[at - 1u] == 0.0);
  if (THINNING == LARGEST) { return whole | is_selected(abs(delta(base, x[m])), at); }
  if (THINNING == VARIANCE) { return whole | is_selected(spread, at); }
  if (THINNING == RANDOM) {
    let key = vec2u(two_halves(at + 2u), two_halves(at + 4u));
    return whole | (philox(vec4u(first_element >> 2u, 0u, 0u, 0u), key) < vec4u(two_halves(at)));
  }
  if (THINNING == RECORDED) {
    return whole | (x[(m + MODELS / 2u) % MODELS] < vec4f(constants[at]));
  }
  if (THINNING == BAND) {
    let size = abs(delta(base, x[m]));
    return whole | (is_selected(size, at) & !is_selected(size, at + 4u));
  }
  if (THINNING == RANKED) {
    let key = vec2u(two_halves(at + 3u), two_halves(at + 5u));
    let draws = philox(vec4u(first_element >> 2u, 0u, 0u, 0u), key);
    return whole | (draws < vec4u(4294967296.0 * keep_probability(x, m)));
  }
  if (THINNING == RECORDED_RANKED) {
    return whole | (x[(m + DERIVED) % MODELS] < keep_probability(x, m));
  }
  return vec4<bool>(true);
}

// The factor on a model's change: 0 where it is dropped.
fn left_of(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4f {
  let at = HEADER + PER_MODEL * m + 2u;
  var rescale = vec4f(constants[at]);
  if (THINNING == RANKED || THINNING == RECORDED_RANKED) {
    let divides = vec4<bool>(constants[at + 1u] != 0.0 && constants[at + 4u] != 0.0);
    rescale = select(rescale, rescale / keep_probability(x, m), divides);
  }
  return select(vec4f(0.0), rescale, is_kept(base, x, m));
}

// What thinning leaves of a model's change.
fn thinned(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4f {
  if (RESCALES) { return stepped(left_of(base, x, m) * delta(base, x[m])); }
  return select(vec4f(0.0), delta(base, x[m]), is_kept(base, x, m));
}

// out, with every tensor, product and sum rounded to ARITHMETIC in mergekit's order.
fn merge_in_steps(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  find_spread(base, x);
  // What each model adds, weighed at once where that is also its vote.
  var part: array<vec4f, MODELS>;
  var votes = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let at = HEADER + PER_MODEL * m;
    part[m] = thinned(base, x, m);
    if (WEIGHED_VOTES) {
      part[m] = stepped(constants[at] * part[m]);
      votes += part[m];
    } else {
      votes += stepped(constants[at + 1u] * part[m]);
    }
  }
  let is_up = votes >= vec4f(0.0);
  var change = vec4f(0.0);
  var divisor = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let weight = constants[HEADER + PER_MODEL * m];
    if (ELECTS) {
      let agrees = select(part[m] < vec4f(0.0), part[m] > vec4f(0.0), is_up);
      part[m] = select(vec4f(0.0), part[m], agrees);
      divisor += select(vec4f(0.0), vec4f(weight), agrees);
    } else {
      divisor += weight;
    }
    if (WEIGHED_VOTES) { change += part[m]; } else { change += stepped(weight * part[m]); }
  }
  change = stepped(change);
  divisor = stepped(divisor);
  divisor = max(select(divisor, vec4f(1.0), divisor == vec4f(0.0)), vec4f(constants[2]));
  if (constants[1] != 0.0) { change = stepped(change / divisor); }
  return stepped(narrowed(base) + stepped(constants[3] * change));
}

// The sign that each element's votes elect; an even vote elects plus.
fn elect_sign(base: vec4f, x: array<vec4f, MODELS>, kept: array<vec4f, MODELS>) -> vec4f {
  var votes = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    votes += constants[HEADER + PER_MODEL * m + 1u] * (kept[m] * delta(base, x[m]));
  }
  return select(vec4f(-1.0), vec4f(1.0), votes >= vec4f(0.0));
}

// The coefficient on each model's change, element by element.
fn coefficients(base: vec4f, x: array<vec4f, MODELS>) -> array<vec4f, MODELS> {
  find_spread(base, x);
  var kept: array<vec4f, MODELS>;
  for (var m = 0u; m < MODELS; m++) {
    kept[m] = left_of(base, x, m);
  }
  let elected = elect_sign(base, x, kept);
  var divisor = vec4f(0.0);
  var sizes = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let at = HEADER + PER_MODEL * m;
    let vote = constants[at + 1u] * (kept[m] * delta(base, x[m]));
    let agrees = vec4<bool>(constants[0] == 0.0) | (vote * elected > vec4f(0.0));
    kept[m] = select(vec4f(0.0), constants[at] * kept[m], agrees);
    let weight = select(vec4f(0.0), vec4f(constants[at]), agrees);
    divisor += weight;
    sizes += abs(weight);
  }
  let is_nothing = abs(divisor) <= constants[4] * sizes;
  divisor = max(select(divisor, vec4f(1.0), is_nothing), vec4f(constants[2]));
  let scale = select(vec4f(constants[3]), constants[3] / divisor, constants[1] != 0.0);
  for (var m = 0u; m < MODELS; m++) { kept[m] *= scale; }
  return kept;
}
