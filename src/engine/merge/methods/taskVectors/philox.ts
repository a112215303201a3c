/** A Philox key: two 32-bit words. */
export type DrawKey = readonly [number, number];

/** FNV-1a over the UTF-16 units of a text, started at `basis`. */
function hashText(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** Philox key of a model's draws in one tensor; the counter is the element's index. */
export function drawKey(seed: number, tensor: string, model: string): DrawKey {
  const text = JSON.stringify([seed, tensor, model]);
  return [hashText(text, 0x811c9dc5), hashText(text, 0x2545f491)];
}

/** The upper and the lower word of a product. */
function wideProduct(a: number, b: number): readonly [number, number] {
  // By halves of b: products of 48 bits are exact.
  const low = a * (b & 0xffff);
  const high = a * (b >>> 16) + Math.floor(low / 0x10000);
  return [Math.floor(high / 0x10000), ((high << 16) | (low & 0xffff)) >>> 0];
}

/** Philox4x32-10, the same as shaders/lib/philox.wgsl, for references and tests. */
export function philox(counter: readonly number[], [k0, k1]: DrawKey): readonly number[] {
  let [a, b, c, d] = counter as [number, number, number, number];
  for (let round = 0; round < 10; round++) {
    const [leftHigh, leftLow] = wideProduct(0xd2511f53, a);
    const [rightHigh, rightLow] = wideProduct(0xcd9e8d57, c);
    const first = (k0 + round * 0x9e3779b9) >>> 0;
    const second = (k1 + round * 0xbb67ae85) >>> 0;
    [a, b, c, d] = [
      (rightHigh ^ b ^ first) >>> 0,
      rightLow,
      (leftHigh ^ d ^ second) >>> 0,
      leftLow,
    ];
  }
  return [a, b, c, d];
}
