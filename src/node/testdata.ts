import { existsSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.FUSESTUDIO_TESTDATA;
if (folder && !existsSync(folder)) {
  throw new Error(`FUSESTUDIO_TESTDATA is ${folder}, which does not exist.`);
}

/** False where no test data is at hand: then `describe.skipIf(!hasTestData)`. */
export const hasTestData = Boolean(folder);
if (!hasTestData) console.log("NOT RUN: no test data (FUSESTUDIO_TESTDATA is not set)");

/** A path inside the folder of test data, which `hasTestData` has to be asked about first. */
export function testDataPath(...parts: readonly string[]): string {
  if (!folder) throw new Error("FUSESTUDIO_TESTDATA is not set: use describe.skipIf(!hasTestData)");
  return join(folder, ...parts);
}
