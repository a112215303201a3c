// npm run interop: the real transformers, torch and mergekit beside us, in one run.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const here = import.meta.dirname;
const root = join(here, "..");
const LOCKS = ["requirements.txt", "requirements-mergekit.txt"].map((name) => join(here, name));
const isWindows = process.platform === "win32";

/** A Python that can make virtual environments, or undefined. */
function findPython() {
  const names = [process.env.PYTHON, "python3", "python"].filter(Boolean);
  const probe = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
  return names.find((name) => spawnSync(name, ["-c", probe], { stdio: "ignore" }).status === 0);
}

/** The environment's Python; made once per state of the lock files, outside of the repository. */
function needEnvironment(python) {
  const hash = createHash("sha256");
  for (const lock of LOCKS) hash.update(readFileSync(lock));
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const folder = join(cache, "fusestudio", `interop-${hash.digest("hex").slice(0, 16)}`);
  const inside = join(folder, isWindows ? "Scripts/python.exe" : "bin/python");
  const finished = join(folder, "finished");
  if (existsSync(finished)) return inside;

  console.log(`Installing the peers into ${folder} (once; some minutes) …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [lock, mergekitLock] = LOCKS;
  const pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  for (const [command, ...args] of [
    [python, "-m", "venv", folder],
    [...pip, "-r", lock],
    [...pip, "--no-deps", "-r", mergekitLock],
  ]) {
    const { status } = spawnSync(command, args, {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`\`${[command, ...args].join(" ")}\` failed.`);
  }
  writeFileSync(finished, "");
  return inside;
}

/** Runs main.py; each line of its standard output is one test's outcome as JSON. */
function runTests(python, work) {
  const report = { passed: 0, failed: 0, skipped: 0 };
  const child = spawn(python, ["-u", join(here, "main.py"), work], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE: process.execPath,
      // Nothing is fetched: the models are the samples of this repository.
      HF_HUB_OFFLINE: "1",
      HF_HOME: join(work, "huggingface"),
      TOKENIZERS_PARALLELISM: "false",
      PYTHONHASHSEED: "0",
    },
  });
  const complaints = [];
  child.stderr.on("data", (data) => complaints.push(data));
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { name, outcome, detail } = JSON.parse(line);
    report[outcome]++;
    console.log(
      `${outcome === "passed" ? "ok     " : outcome.toUpperCase().padEnd(7)} ${name}${detail ? `: ${detail}` : ""}`,
    );
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) {
        console.error(Buffer.concat(complaints).toString().slice(-4000));
        report.failed++;
      }
      resolve(report);
    });
  });
}

async function main() {
  const python = findPython();
  if (!python) {
    console.log("NOT RUN: interop needs Python 3.11 or newer with venv (Debian: python3-venv).");
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const work = mkdtempSync(join(tmpdir(), "fusestudio-interop-"));
  try {
    return await runTests(needEnvironment(python), work);
  } catch (error) {
    console.error(error.message);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const report = await main();
if (process.env.FUSESTUDIO_REPORT) {
  writeFileSync(process.env.FUSESTUDIO_REPORT, JSON.stringify(report));
}
const skipped = report.skipped > 0 ? `, ${report.skipped} skipped` : "";
console.log(`${report.passed} passed, ${report.failed} failed${skipped}`);
process.exitCode = report.failed === 0 ? 0 : 1;
