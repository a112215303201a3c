import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/**
 * A process, told apart from all others: process ids are the same in two containers, hosts may have
 * one name, and an id is given out again once its process has ended.
 */
export interface ProcessIdentity {
  readonly host: string;
  /** This start of the kernel; null where the system does not tell. */
  readonly boot: string | null;
  /** Where the process id is valid: a container has ids of its own. Null where there is no such thing. */
  readonly ids: string | null;
  readonly pid: number;
  /** In the kernel's clock ticks since `boot`; null where the system does not tell. */
  readonly startedAt: string | null;
}

/** The identity of the process that asks. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => null);
  return {
    host: hostname(),
    boot: boot?.trim() ?? null,
    ids: await readlink("/proc/self/ns/pid").catch(() => null),
    pid: process.pid,
    startedAt: (await readStat("self"))?.startedAt ?? null,
  };
}

/**
 * True where `other` has certainly ended: it ran under the same kernel, with process ids that mean the
 * same here, and no process has its id and its start. What cannot be seen from here may be alive.
 */
export async function hasEnded(other: ProcessIdentity, own: ProcessIdentity): Promise<boolean> {
  const visible = other.host === own.host && other.boot === own.boot && other.ids === own.ids;
  if (!visible) return false;
  if (!exists(other.pid)) return true;
  // A container may show the processes of another under /proc: then ids there are not ours.
  if ((await readStat("self"))?.pid !== own.pid) return false;
  const found = await readStat(other.pid);
  if (!found) return !exists(other.pid); // it ended between the two questions
  return found.isZombie || (other.startedAt !== null && found.startedAt !== other.startedAt);
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // EPERM: it is somebody else's
  }
}

/** What Linux tells of a process; undefined elsewhere, and where there is none. */
async function readStat(pid: number | "self") {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name in brackets may hold anything; the state and 19 further fields follow it.
  const [, id = "", rest = ""] = /^(\d+) \(.*\) (.*)$/s.exec(text) ?? [];
  const fields = rest.split(" ");
  if (id === "") return undefined;
  return { pid: Number(id), isZombie: fields[0] === "Z", startedAt: fields[19] ?? null };
}
