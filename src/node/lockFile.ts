import { readFile, rm, writeFile } from "node:fs/promises";
import { EngineError } from "../engine/contract/index.ts";

/** True while the process that wrote the lock lives; a lock without a living owner is void. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0) && !(await hasEnded(pid));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process that can still be asked for has ended, and only its parent has not noticed. */
async function hasEnded(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""); // on Linux
  return /^\d+ \(.*\) Z /s.test(stat);
}

/** Takes a lock file for this process; `busy` while its owner lives. */
export async function takeLock(path: string, folder: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(path, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(await readFile(path, "utf8").catch(() => ""));
      if (attempt > 0 || (await isAlive(owner))) {
        const message = `${folder} is being written by process ${owner}. Wait for it or choose another folder.`;
        throw new EngineError("busy", message, { folder, owner });
      }
      await rm(path, { force: true });
    }
  }
}
