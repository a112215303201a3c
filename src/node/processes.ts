import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/**
 * Identity of a process among all: ids repeat between containers and over time, and hosts may share
 * a name.
 */
export interface ProcessIdentity {
  readonly host: string;
  /** Boot id of the kernel; null where unknown. */
  readonly boot: string | null;
  /** Namespace of the process id, since containers have their own; null where there is none. */
  readonly ids: string | null;
  readonly pid: number;
  /** Start time in the kernel's clock ticks since boot; null where unknown. */
  readonly startedAt: string | null;
}

/** Identity of this process. */
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
 * Whether `other` has certainly ended: it ran under the same kernel and id namespace, and no
 * process has its id and start time. One that cannot be seen from here may be alive.
 */
export async function hasEnded(other: ProcessIdentity, own: ProcessIdentity): Promise<boolean> {
  const visible = other.host === own.host && other.boot === own.boot && other.ids === own.ids;
  if (!visible) return false;
  if (!exists(other.pid)) return true;
  // A container may show another's processes under /proc, whose ids mean nothing here.
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

/** A process's entry in /proc; undefined outside Linux, and where there is none. */
async function readStat(pid: number | "self") {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name in brackets may contain anything; the state and 19 further fields follow it.
  const [, id = "", rest = ""] = /^(\d+) \(.*\) (.*)$/s.exec(text) ?? [];
  const fields = rest.split(" ");
  if (id === "") return undefined;
  return { pid: Number(id), isZombie: fields[0] === "Z", startedAt: fields[19] ?? null };
}
