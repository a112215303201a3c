// What .ci/run runs once the packages are there; its last line counts over all suites.
import { runSuites, summary } from "./suites.mjs";

const total = await runSuites(["check", "unit", "docs", "gpu", "e2e", "interop"]);
console.log(`\n${summary(total, true)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
