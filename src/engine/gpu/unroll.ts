import type { ShaderConstants } from "./shaderConstants.ts";

/** Largest number of copies that are unrolled: more cost more compilation than they save. */
const MOST_COPIES = 8;
const LOOP = /for \(var (\w+) = (\d+)u; \1 < (\w+); \1\+\+\) \{/;

/** Index of the end of the block that is open at `from`. */
function closingBrace(code: string, from: number): number {
  let depth = 1;
  for (let i = from; i < code.length; i++) {
    if (code[i] === "{") depth++;
    else if (code[i] === "}" && --depth === 0) return i;
  }
  return code.length;
}

/**
 * Writes out every `for (var m = 0u; m < MODELS; m++) { … }` over a linked constant, so that arrays
 * are indexed by constants and can live in registers. GPU compilers do that themselves; SwiftShader,
 * which visitors without a GPU get, does not and takes twice as long. Every line stays on its line;
 * comments are dropped.
 */
export function unrollLoops(code: string, constants: ShaderConstants): string {
  return unroll(code.replace(/\/\/.*$/gm, ""), constants);
}

function unroll(code: string, constants: ShaderConstants): string {
  const found = LOOP.exec(code);
  if (!found) return code;
  const [head, name, first, limitName = ""] = found;
  const start = found.index + head.length;
  const end = closingBrace(code, start);
  const body = unroll(code.slice(start, end), constants);
  const before = code.slice(0, found.index);
  const after = unroll(code.slice(end + 1), constants);

  const limit = constants[limitName];
  const leaves = /\b(break|continue)\b/.test(body); // would leave another loop than it says
  if (typeof limit !== "number" || limit > MOST_COPIES || leaves) {
    return `${before}${head}${body}}${after}`;
  }
  const flat = body.replace(/\s+/g, " ");
  const lines = "\n".repeat(body.split("\n").length - 1);
  const copies = Array.from({ length: Math.max(0, limit - Number(first)) }, (_, i) => {
    const text = i === 0 ? body : flat;
    return `{ const ${name} = ${Number(first) + i}u; ${text}}`;
  });
  return `${before}${copies.length > 0 ? copies.join(" ") : lines}${after}`;
}
