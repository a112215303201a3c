// Runs the suites one after the other and counts: what each reporter wrote, never what it printed.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./spawn.mjs";

const root = join(import.meta.dirname, "..");
const NOTHING = { passed: 0, failed: 0, skipped: 0 };

function readCounts(file, count) {
  try {
    return count(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return NOTHING; // it wrote no report: the exit code says why, below
  }
}

const countVitest = (report) => ({
  passed: report.numPassedTests,
  failed: report.numFailedTests,
  skipped: report.numPendingTests + report.numTodoTests,
});

const countPlaywright = ({ stats }) => ({
  passed: stats.expected + stats.flaky,
  failed: stats.unexpected,
  skipped: stats.skipped,
});

const countOurs = ({ passed, failed, skipped }) => ({ passed, failed, skipped });

function vitest(project) {
  return (file) => ({
    args: [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      "run",
      "--project",
      project,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
    ],
    count: countVitest,
  });
}

export const SUITES = {
  unit: vitest("unit"),
  docs: vitest("docs"),
  gpu: vitest("gpu"),
  // Journeys of minutes run where nobody waits: in CI, and by `npm run e2e`.
  e2e: (file) => ({
    args: [
      join(root, "node_modules", "playwright", "cli.js"),
      "test",
      ...(process.env.CI ? [] : ["--grep-invert=@long"]),
    ],
    note: process.env.CI ? null : "Journeys tagged @long run in CI alone; `npm run e2e` has them.",
    env: { FUSESTUDIO_E2E_REPORT: file },
    port: "FUSESTUDIO_E2E_PORT",
    count: countPlaywright,
  }),
  check: (file) => ({
    args: [join(root, "scripts", "check.mjs")],
    env: { FUSESTUDIO_REPORT: file },
    count: countOurs,
    plain: true,
  }),
  interop: (file) => ({
    args: [join(root, "interop", "run.mjs")],
    env: { FUSESTUDIO_REPORT: file },
    count: countOurs,
    plain: true,
  }),
};

/** A port that is free now, so that two runs on one machine do not meet. */
function findPort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(String(port)));
    });
  });
}

/** Runs the named suites; a suite that ended badly without naming a failure counts as one. */
export async function runSuites(names) {
  const folder = mkdtempSync(join(tmpdir(), "fusestudio-suites-"));
  const total = { ...NOTHING };
  try {
    for (const name of names) {
      const file = join(folder, `${name}.json`);
      const { args, env, port, count, plain, note } = SUITES[name](file);
      console.log(`\n── ${name} ──`);
      if (note) console.log(note);
      const starter = plain ? [] : [join(root, "scripts", "with-browser.mjs"), process.execPath];
      const code = await run(process.execPath, [...starter, ...args], {
        cwd: root,
        stdio: ["ignore", "inherit", "inherit"],
        env: { ...process.env, ...env, ...(port && { [port]: await findPort() }) },
      });
      const counts = { ...readCounts(file, count) };
      if (code !== 0 && counts.failed === 0) counts.failed = 1;
      if (counts.passed + counts.failed + counts.skipped === 0) {
        console.error(`${name} ran no test at all.`);
        counts.failed = 1;
      }
      for (const key of Object.keys(total)) total[key] += counts[key];
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return total;
}

/** The last line of a run. */
export function summary({ passed, failed, skipped }, always = false) {
  const rest = skipped > 0 || always ? `, ${skipped} skipped` : "";
  return `${passed} passed, ${failed} failed${rest}`;
}
