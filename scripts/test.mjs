// npm test: unit tests, tests of the pages in docs, GPU and browser tests, and one line that counts them. `npm test unit gpu` runs some.
import { runSuites, SUITES, summary } from "./suites.mjs";

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(
    `No such suite: ${unknown.join(", ")}. There are ${Object.keys(SUITES).join(", ")}.`,
  );
  process.exit(2);
}
const total = await runSuites(names.length > 0 ? names : ["unit", "docs", "gpu", "e2e"]);
console.log(`\n${summary(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
