import { expect, test } from "vitest";
import { escapeUnseen, formatCsvField } from "./plainText.ts";

test("what cannot be seen is written out; letters of every script stay", () => {
  expect(escapeUnseen("a\u001b[2Jb\u202ec\u2066d\u009b\u007f\ufeff\n")).toBe(
    "a\\u001b[2Jb\\u202ec\\u2066d\\u009b\\u007f\\ufeff\\u000a",
  );
  const plain = "ß 日本語 שלום 👩‍🚀 \\u202e";
  expect(escapeUnseen(plain)).toBe(plain);
  expect(escapeUnseen("a\n\tb\r", "\n\t")).toBe("a\n\tb\\u000d");
});

test("a field of CSV is data: no formula, no second line, no turned text", () => {
  for (const sign of ["=", "+", "-", "@"]) expect(formatCsvField(`${sign}1+1`)).toBe(`'${sign}1+1`);
  expect(formatCsvField("\t=1")).toBe("\\u0009=1");
  expect(formatCsvField('a,"b"\r\n\u202e')).toBe('"a,""b""\\u000d\\u000a\\u202e"');
  expect([formatCsvField(-1.5), formatCsvField(null), formatCsvField("plain")]).toEqual([
    "-1.5",
    "",
    "plain",
  ]);
});
