import { expect, test } from "vitest";
import { linkShader } from "./link.ts";

const files: Record<string, string> = {
  "lib/a.wgsl": "// About a.\nfn a() -> f32 { return 1.0; }\n",
  "lib/b.wgsl": "// About b.\n// needs lib/a.wgsl\nfn b() -> f32 { return a(); }\n",
  "merge/c.wgsl":
    "// needs lib/b.wgsl\n// needs lib/a.wgsl\nfn c() -> f32 {\n  return b() + a();\n}\n",
};
const read = (path: string) => files[path] ?? "";

test("what a file needs is linked before it, each file once", () => {
  const { code } = linkShader(["merge/c.wgsl"], {}, read);
  expect(code.match(/fn a\(\)/g)).toHaveLength(1);
  expect(code.indexOf("fn a()")).toBeLessThan(code.indexOf("fn b()"));
  expect(code.indexOf("fn b()")).toBeLessThan(code.indexOf("fn c()"));
});

test("every line of the linked text is traced to its own file and line", () => {
  const { code, locate } = linkShader(["merge/c.wgsl"], { MODELS: 3, HAS_BASE: true }, read);
  const lines = code.split("\n");
  const lineOf = (text: string) => lines.findIndex((line) => line.includes(text)) + 1;
  expect(locate(lineOf("const HAS_BASE = true"))).toBe("<constants>:2");
  expect(locate(lineOf("fn a()"))).toBe("shaders/lib/a.wgsl:2");
  expect(locate(lineOf("return b() + a()"))).toBe("shaders/merge/c.wgsl:4");
});

test("extensions come before everything else, each once, and lines are still traced", () => {
  const half = "// enables f16\nfn half() {}\n";
  const texts: Record<string, string> = { "h.wgsl": half, "i.wgsl": half.replace("half", "more") };
  const { code, locate } = linkShader(["h.wgsl", "i.wgsl"], { N: 1 }, (path) => texts[path] ?? "");
  expect(code.startsWith("enable f16;\nconst N = 1u;\n")).toBe(true);
  expect(code.match(/enable/g)).toHaveLength(1);
  expect(locate(code.split("\n").findIndex((line) => line.includes("fn more")) + 1)).toBe(
    "shaders/i.wgsl:2",
  );
});

test("numbers become u32 constants", () => {
  expect(linkShader([], { MODELS: 3, HAS_BASE: false }, read).code).toBe(
    "const MODELS = 3u;\nconst HAS_BASE = false;\n",
  );
});
