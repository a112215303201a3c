import type { ShaderConstants } from "./shaderConstants.ts";
import { shaderText } from "./shaders.ts";
import { unrollLoops } from "./unroll.ts";

/** Linked WGSL, which maps each line back to its file. */
export interface LinkedShader {
  readonly code: string;
  /** `shaders/merge/linear.wgsl:4` for a line of `code`, counted from 1. */
  locate(line: number): string;
}

const NEEDS = /^\/\/ needs (\S+\.wgsl)$/gm;
const ENABLES = /^\/\/ enables (\w+)$/gm;

/** A file after all files it needs, each once, depth first. */
function collect(path: string, seen: Set<string>, readText: (path: string) => string): string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  const needed = [...readText(path).matchAll(NEEDS)].map(([, file]) => file as string);
  return [...needed.flatMap((file) => collect(file, seen, readText)), path];
}

/**
 * Joins shader files and all they need (`// needs lib/float.wgsl` on a line of its own) under the
 * given constants. A number becomes a `u32`. WGSL wants its extensions named before everything else:
 * a file asks for one by `// enables f16`.
 */
export function linkShader(
  paths: readonly string[],
  constants: ShaderConstants,
  readText: (path: string) => string = shaderText,
): LinkedShader {
  const seen = new Set<string>();
  const files = paths.flatMap((path) => collect(path, seen, readText));
  const enabled = new Set(
    files.flatMap((path) => [...readText(path).matchAll(ENABLES)].map(([, name]) => name)),
  );
  const extensions = [...enabled].map((name) => `enable ${name};\n`).join("");
  const values = Object.entries(constants)
    .map(([name, value]) => `const ${name} = ${typeof value === "number" ? `${value}u` : value};\n`)
    .join("");
  const starts = [{ line: 1, file: "<constants>" }];
  let code = extensions + values;
  for (const path of files) {
    starts.push({ line: code.split("\n").length, file: `shaders/${path}` });
    const text = readText(path);
    code += text.endsWith("\n") ? text : `${text}\n`;
  }
  return {
    code: unrollLoops(code, constants),
    locate(line) {
      const start = starts.findLast((candidate) => candidate.line <= line);
      if (!start) throw new RangeError(`line ${line} is not in the linked shader`);
      return `${start.file}:${line - start.line + 1}`;
    },
  };
}
