/** For tests of tests: what stands in for shader files, where `shaders.ts` is mocked to read it. */
export const planted = new Map<string, string>();
