import type { Failure } from "../../engine/contract/index.ts";

/** Advice on a missing GPU for a browser. */
export function helpFor(
  code: Failure["code"],
  userAgent: string,
  secure: boolean,
): readonly string[] {
  if (!secure) {
    return ["Open the page over https or on localhost: browsers give WebGPU to no other address."];
  }
  const firefox = /Firefox\//.test(userAgent);
  const edge = /Edg\//.test(userAgent);
  const chrome = /Chrome\//.test(userAgent);
  const safari = !chrome && /Safari\//.test(userAgent);
  const inner = edge ? "edge" : "chrome";
  if (code === "no-webgpu") {
    if (firefox) {
      return [
        "Update Firefox to 141 or newer.",
        "Where it is still off, set dom.webgpu.enabled to true in about:config.",
      ];
    }
    if (safari) {
      return [
        "Update to Safari 26 or newer.",
        "On older systems switch WebGPU on under Settings, Feature Flags.",
      ];
    }
    return [
      "Update Chrome or Edge to 137 or newer.",
      `On Linux, set ${inner}://flags/#enable-unsafe-webgpu to Enabled and restart the browser.`,
    ];
  }
  if (firefox) {
    return [
      "Switch on “Use hardware acceleration when available” in the settings.",
      "Update the graphics driver; about:support lists what is blocked and why.",
    ];
  }
  if (safari) return ["Update macOS or iOS, and close pages that use much graphics memory."];
  return [
    "Switch on “Use graphics acceleration when available” in the browser’s settings and restart it.",
    `Update the graphics driver; ${inner}://gpu lists what is blocked and why.`,
  ];
}
