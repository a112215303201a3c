// Runs a program as if it were this one: same streams, same signals, same exit code.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/** What a program that was asked twice may still take to end by itself. */
const GRACE_MS = 1000;

/**
 * Resolves to the exit code; 128 + n for a program that signal n ended. Who asks twice to end it is
 * heard even where its only thread is busy and hears nothing: it is killed.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", ...options });
    let asked = 0;
    let deadline;
    const forward = (signal) => {
      asked += 1;
      child.kill(signal);
      if (asked > 1) deadline ??= setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(deadline);
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(name, forward);
      const killed = signal === "SIGKILL" && deadline !== undefined;
      resolve(code ?? 128 + (constants.signals[killed ? "SIGINT" : signal] ?? 0));
    });
  });
}
