import { expect, test } from "vitest";
import { mapToCsv } from "./mapExport.ts";

test("the CSV quotes what must be quoted, disarms formulas, and leaves unmeasured fields empty", () => {
  const csv = mapToCsv({
    models: ['a "quoted", one', "b"],
    cells: [
      {
        tensor: "=cmd",
        layer: null,
        column: "embed",
        group: "embedding",
        shape: [2],
        elementCount: 2,
        shares: null,
        spread: null,
        change: [0.1, 1e-9],
        locked: false,
        merged: true,
      },
    ],
    measured: 0,
    total: 1,
    headline: "",
    summary: [],
  });
  const [head, line] = csv.split("\r\n");
  expect(head).toContain('"share a ""quoted"", one",share b');
  expect(line).toBe("'=cmd,,embed,2,true,false,,,,,0.1,1e-9");
});
