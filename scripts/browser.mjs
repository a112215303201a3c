// Finds a Chromium: $CHROMIUM, else one on the PATH, else Debian's through apt where we may.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "msedge",
  "microsoft-edge",
  "microsoft-edge-stable",
];

/** Where installers put a browser without putting it on the PATH. */
const ELSEWHERE = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** Debian's launcher is a script, so the folder of the real program cannot be told from it. */
const FOLDERS = [
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/usr/lib64/chromium-browser",
  "/opt/google/chrome",
  "/opt/microsoft/msedge",
];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a Chromium-like browser, or undefined. Installs nothing. */
function findBrowser(env = process.env) {
  if (env.CHROMIUM) return env.CHROMIUM;
  const folders = (env.PATH ?? "").split(delimiter).filter(Boolean);
  const suffix = process.platform === "win32" ? ".exe" : "";
  return [
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name + suffix))),
    ...ELSEWHERE,
  ].find(isProgram);
}

/** The same, after installing Debian's where that is possible; throws a sentence where it is not. */
export function needBrowser() {
  const found = findBrowser();
  if (found) return found;
  const apt = existsSync("/usr/bin/apt-get") && process.getuid?.() === 0;
  if (apt) {
    console.error("No browser found: installing Debian's chromium with apt-get …");
    const options = {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    spawnSync("apt-get", ["update", "-qq"], options);
    spawnSync(
      "apt-get",
      ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"],
      options,
    );
    const installed = findBrowser();
    if (installed) return installed;
  }
  throw new Error(
    [
      "The tests need Chromium, Chrome or Edge (137 or newer), and none was found.",
      "Install one, for example:  sudo apt-get install -y chromium",
      "or name it:                CHROMIUM=/path/to/chrome npm test",
    ].join("\n"),
  );
}

/** Folders that may hold the browser's own Vulkan loader and SwiftShader. */
export function browserFolders() {
  const browser = findBrowser();
  const own = browser && existsSync(browser) ? [dirname(realpathSync(browser))] : [];
  return [...own, ...FOLDERS].filter((folder) => existsSync(folder));
}
