// A model's change δ = x - base. In a narrower arithmetic both are rounded first, as mergekit loads
// them in a recipe's dtype.
// needs lib/tile.wgsl
fn delta(base: vec4f, x: vec4f) -> vec4f { return stepped(narrowed(x) - narrowed(base)); }
