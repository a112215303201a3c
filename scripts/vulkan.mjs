// Chooses the Vulkan driver for Dawn in Node. The loader reads LD_LIBRARY_PATH when a process starts,
// so whoever needs the driver must be started with this environment (see with-browser.mjs).
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browserFolders } from "./browser.mjs";

const LOADER_FOLDERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/lib/x86_64-linux-gnu",
  "/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib",
];
const DRIVER_FOLDERS = [
  "/usr/share/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
];
/** Mesa 25 is the first whose lavapipe runs Dawn well; it is also the first that speaks Vulkan 1.4. */
const LAVAPIPE_VULKAN = 1.4;

function list(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function drivers() {
  return DRIVER_FOLDERS.flatMap((folder) =>
    list(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => ({ name, path: join(folder, name) })),
  );
}

function vulkanVersion(path) {
  try {
    return Number.parseFloat(JSON.parse(readFileSync(path, "utf8")).ICD.api_version);
  } catch {
    return 0;
  }
}

/** True where a kernel driver and its Vulkan driver are both there: then nothing may be overruled. */
function hasOwnGpu() {
  const device =
    existsSync("/dev/nvidia0") ||
    existsSync("/dev/dxg") ||
    list("/dev/dri").some((name) => name.startsWith("renderD"));
  return device && drivers().some(({ name }) => !/^(lvp_icd|swiftshader|vk_swift)/.test(name));
}

/**
 * The environment variables that give Dawn a driver. `tests` prefers SwiftShader, which is the same
 * everywhere; otherwise a real GPU keeps its own driver and software is the last resort.
 */
export function vulkanEnvironment({ tests = false } = {}) {
  if (process.platform !== "linux") return {};
  const folders = browserFolders();
  const hasLoader = LOADER_FOLDERS.some((folder) => existsSync(join(folder, "libvulkan.so.1")));
  const loader = hasLoader
    ? undefined
    : folders.find((folder) => existsSync(join(folder, "libvulkan.so.1")));
  const libraries = [process.env.LD_LIBRARY_PATH, loader].filter(Boolean).join(":");
  const env = libraries ? { LD_LIBRARY_PATH: libraries } : {};
  if (process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES) return env;
  if (!tests && (hasLoader || loader) && hasOwnGpu()) return env;

  const swiftshader = folders
    .map((folder) => join(folder, "vk_swiftshader_icd.json"))
    .find((path) => existsSync(path));
  const lavapipe = drivers().find(
    ({ name, path }) => name.startsWith("lvp_icd") && vulkanVersion(path) >= LAVAPIPE_VULKAN,
  )?.path;
  const driver = tests ? (swiftshader ?? lavapipe) : (lavapipe ?? swiftshader);
  return driver ? { ...env, VK_ICD_FILENAMES: driver } : env;
}

/** XDG_RUNTIME_DIR, which Vulkan drivers want; a fresh one is removed when this process ends. */
export function runtimeFolder() {
  if (process.platform !== "linux" || process.env.XDG_RUNTIME_DIR) return {};
  const folder = mkdtempSync(join(tmpdir(), "fusestudio-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return { XDG_RUNTIME_DIR: folder };
}
