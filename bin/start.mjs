#!/usr/bin/env node
// npm start: installs what is missing, builds what is old, serves it and prints the address.
// Only what every Node knows is imported here, so that an old one gets to read its message.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `FuseStudio needs Node.js 20.19 or newer; this is ${process.versions.node}. Get it from https://nodejs.org`,
  );
  process.exit(1);
}

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** True when node_modules is missing or was not installed from this package-lock.json. */
function needsInstall() {
  const marker = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(marker)) return true;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(marker, "utf8")).packages;
  return Object.entries(wanted).some(
    ([path, { version, optional }]) =>
      path !== "" && !optional && installed[path]?.version !== version,
  );
}

/** True when anything that the page is made of changed after the last build. */
function needsBuild() {
  const built = modified(join(root, "dist", "index.html"));
  const newest = (path) => {
    if (!existsSync(path)) return 0;
    const own = modified(path);
    if (!statSync(path).isDirectory()) return own;
    return Math.max(own, ...readdirSync(path).map((name) => newest(join(path, name))));
  };
  const sources = ["src", "shaders", "public", "index.html", "vite.config.ts", "package-lock.json"];
  return built === 0 || sources.some((source) => newest(join(root, source)) > built);
}

function step(what, command, args) {
  console.log(what);
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    console.error(`\`${[command, ...args].join(" ")}\` failed; its own message is above.`);
    process.exit(1);
  }
}

if (needsInstall()) {
  step("Installing packages …", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}
const { build, preview } = await import("vite");
if (needsBuild()) {
  console.log("Building …");
  await build({ root, logLevel: "error" });
}
// A port that is taken is not an error: the next free one is used and printed.
const server = await preview({ root, logLevel: "error", preview: { port: 4173, open: false } });
const address = server.resolvedUrls?.local[0] ?? "http://localhost:4173/";
console.log(`\nFuseStudio is at ${address}\nStop it with Ctrl+C.`);
