import { expect, test } from "vitest";
import { helpFor } from "./gpuHelp.ts";

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36";
const EDGE = `${CHROME} Edg/140.0`;
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15";

test("an insecure address is named before any browser's settings", () => {
  expect(helpFor("no-webgpu", CHROME, false).join()).toContain("https");
});

test.each([
  [CHROME, "no-webgpu", "chrome://flags"],
  [EDGE, "no-webgpu", "edge://flags"],
  [FIREFOX, "no-webgpu", "about:config"],
  [SAFARI, "no-webgpu", "Safari 26"],
  [CHROME, "no-adapter", "chrome://gpu"],
  [FIREFOX, "no-adapter", "about:support"],
  [SAFARI, "no-adapter", "macOS"],
] as const)("%s with %s is told of %s", (userAgent, code, hint) => {
  expect(helpFor(code, userAgent, true).join(" ")).toContain(hint);
});
