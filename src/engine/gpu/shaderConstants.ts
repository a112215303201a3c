/** Values that WGSL must know at compile time. */
export type ShaderConstants = Readonly<Record<string, number | boolean>>;
