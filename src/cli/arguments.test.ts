import { describe, expect, test } from "vitest";
import { formatHelp, readArguments } from "./arguments.ts";
import { type Command, formatBytes, parseByteSize } from "./command.ts";
import { EXIT, exitCodeOf, formatJson, forTerminal } from "./outcome.ts";
import { createProgress } from "./progress.ts";

const copy: Command = {
  positionals: ["FROM", "TO"],
  summary: "Copies.",
  options: {
    depth: { value: "N", help: "How deep." },
    but: { value: "NAME", help: "Not this one.", many: true },
  },
  run: async () => ({ json: {}, text: "" }),
};
const commands = new Map([["copy", copy]]);

describe("the command line", () => {
  test("options may stand anywhere and --json before the command", () => {
    expect(readArguments(["--json", "copy", "a", "--depth", "2", "b"], commands)).toEqual({
      command: "copy",
      positionals: ["a", "b"],
      options: { depth: "2" },
      json: true,
      help: false,
      version: false,
    });
  });

  test("help and the version are commands and options alike", () => {
    expect(readArguments(["help"], commands)).toMatchObject({ command: null, help: true });
    expect(readArguments(["help", "copy"], commands)).toMatchObject({
      command: "copy",
      help: true,
    });
    for (const word of ["--version", "-V"]) {
      expect(readArguments([word], commands)).toMatchObject({ command: null, version: true });
    }
    for (const words of [
      ["help", "paste"],
      ["paste", "--help"],
    ]) {
      expect(() => readArguments(words, commands)).toThrow('There is no command "paste"');
    }
  });

  test("an option that may be given many times gives a line for each", () => {
    const words = ["copy", "a", "--but", "x", "b", "--but", "y z"];
    expect(readArguments(words, commands).options).toEqual({ but: "x\ny z" });
    expect(() => readArguments(["copy", "a", "b", "--depth"], commands)).toThrow();
  });

  test.each([
    ["an unknown command", ["paste"]],
    ["an unknown option", ["copy", "a", "b", "--width", "3"]],
    ["an option without its value", ["copy", "a", "b", "--depth"]],
    ["too few arguments", ["copy", "a"]],
    ["too many arguments", ["copy", "a", "b", "c"]],
  ])("%s is wrong usage", (_, words) => {
    expect(() => readArguments(words, commands)).toThrow(
      expect.objectContaining({ code: "usage" }),
    );
  });

  test("help is for the command that is named, and needs no arguments", () => {
    expect(readArguments(["copy", "--help"], commands)).toMatchObject({ help: true });
    expect(formatHelp(commands, "copy")).toMatch(/^studio copy FROM TO \[--depth N\]/);
    expect(formatHelp(commands, null)).toContain("Copies.");
  });
});

describe("sizes", () => {
  test.each([
    ["5GB", 5e9],
    ["512 MiB", 512 * 2 ** 20],
    ["1.5kb", 1500],
    ["1000", 1000],
  ])("%s is understood", (text, bytes) => {
    expect(parseByteSize(text, "shard-size")).toBe(bytes);
  });

  test.each(["", "GB", "-1", "0", "0.2", "5 parsecs", "1e999", "9999999TB"])(
    "%j is wrong usage",
    (text) => {
      expect(() => parseByteSize(text, "shard-size")).toThrow(
        expect.objectContaining({ code: "usage" }),
      );
    },
  );

  test("bytes are shown in the unit that fits", () => {
    expect([0, 999, 1000, 2_446_480, 5e9].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "2.4 MB",
      "5.0 GB",
    ]);
  });
});

describe("what a command leaves behind", () => {
  test("NaN and infinities are null in JSON, wherever they are", () => {
    expect(formatJson({ "\u202ename\u009b": "\n" })).toBe('{"\\u202ename\\u009b":"\\n"}\n');
    expect(forTerminal("line\n\ttab\u001b]0;x\u0007")).toBe("line\n\ttab\\u001b]0;x\\u0007");
    expect(formatJson({ a: Number.NaN, b: [1, Number.NEGATIVE_INFINITY] })).toBe(
      '{"a":null,"b":[1,null]}\n',
    );
  });

  test.each([
    ["usage", 2],
    ["bad-header", 1],
    ["bad-recipe", 1],
    ["permission", 1],
    ["no-adapter", 3],
    ["nonfinite", 4],
    ["quota", 4],
    ["internal", 5],
    ["cancelled", 130],
  ] as const)("%s ends with code %i", (code, exit) => {
    expect(exitCodeOf({ code, message: "", details: {} })).toBe(exit);
  });

  test("nothing that failed ends with the code of success", () => {
    expect(exitCodeOf({ code: "mismatch", message: "", details: {} })).not.toBe(EXIT.done);
  });
});

describe("progress", () => {
  function record(isTTY: boolean) {
    const written: string[] = [];
    let time = 0;
    const stream = { isTTY, columns: 200, write: (text: string) => written.push(text) };
    const progress = createProgress(stream, () => time);
    return {
      written,
      at(milliseconds: number, done: number, unit?: "parts") {
        time = milliseconds;
        progress.update(done, 4e6, "layer", unit);
      },
      end: progress.end,
    };
  }

  test("is silent during the first second", () => {
    const { written, at } = record(true);
    at(0, 0);
    at(900, 1e6);
    expect(written).toEqual([]);
  });

  test("tells bytes, speed and time left, and clears its line", () => {
    const { written, at, end } = record(true);
    at(0, 0);
    at(2000, 1e6);
    end();
    expect(written.join("")).toContain("25 %  1.0 MB of 4.0 MB  500.0 kB/s  6 s left  layer");
    expect(written.at(-1)).toBe("\r\x1b[K");
  });

  test("tells no bytes of work that has none, and begins anew where it goes on in bytes", () => {
    const { written, at } = record(false);
    at(0, 0, "parts");
    at(10_000, 1e6, "parts");
    at(11_000, 0);
    at(21_000, 2e6);
    expect(written).toEqual([
      "25 %  30 s left  layer\n",
      "50 %  2.0 MB of 4.0 MB  200.0 kB/s  10 s left  layer\n",
    ]);
  });

  test("never passes 100 %, and a label cannot steer the terminal", () => {
    const { written, at } = record(false);
    at(0, 0);
    at(10_000, 5.6e6);
    expect(written).toEqual(["100 %  4.0 MB of 4.0 MB  400.0 kB/s  0 s left  layer\n"]);
    const lines: string[] = [];
    let time = 0;
    const progress = createProgress({ write: (text) => lines.push(text) }, () => time);
    progress.update(0, 1, "a");
    time = 10_000;
    progress.update(1, 1, "a\u001b[2J\nerror: b");
    expect(lines.join("")).toMatch(/a\\u001b\[2J\\u000aerror: b\n$/);
  });

  test("does not count as speed what an earlier run did", () => {
    const { written, at } = record(true);
    at(0, 2e6);
    at(2000, 3e6);
    expect(written.join("")).toContain("500.0 kB/s  2 s left");
  });

  test("writes a line every ten seconds where there is no terminal", () => {
    const { written, at } = record(false);
    for (let second = 0; second <= 25; second++) at(second * 1000, second * 1e5);
    expect(written).toHaveLength(2);
    expect(written[0]?.endsWith("\n")).toBe(true);
  });
});
