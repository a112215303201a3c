// The dtypes that weights are stored in on the GPU.
// needs lib/float.wgsl
const F32 = 0u;
const BF16 = 1u;
const F16 = 2u;
