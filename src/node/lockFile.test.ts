import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeLock } from "./lockFile.ts";
import { hasEnded, ownIdentity, type ProcessIdentity } from "./processes.ts";

let work: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "fusestudio-lock-"));
});
afterEach(() => rm(work, { recursive: true, force: true }));

/** An identity as a process elsewhere would have it. */
const as = (change: Partial<ProcessIdentity>) => async () => ({
  ...(await ownIdentity()),
  ...change,
});
/** Of a process that ran here and is gone: nothing has a process id beyond Linux's largest. */
const GONE = { pid: 2 ** 22 + 1, startedAt: "1" };

async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => child.once("exit", resolve));
  return child.pid as number;
}

test("a lock is held until it is released, and leaves nothing", async () => {
  const lock = await takeLock(work, "out");
  await expect(takeLock(work, "out")).rejects.toMatchObject({ code: "busy" });
  await lock.release();
  expect(await readdir(work)).toEqual([]);
});

test("a process that has ended here gives its lock up; the next one's is another file", async () => {
  await takeLock(work, "out", as({ pid: await endedProcess(), startedAt: "1" }));
  const next = await takeLock(work, "out");
  await expect(takeLock(work, "out")).rejects.toMatchObject({ code: "busy" });
  expect((await readdir(work)).sort()).toEqual(["lock", "lock.2"]);
  await next.release();
  const again = await takeLock(work, "out");
  await again.release();
});

test("a process id that was given out anew does not keep a lock alive", async () => {
  await takeLock(work, "out", as({ startedAt: "17" })); // this process began at another time
  await (await takeLock(work, "out")).release();
});

test.each([
  ["host", { host: "another-machine" }],
  ["start of the kernel", { boot: "00000000-0000-0000-0000-000000000000" }],
  ["container", { ids: "pid:[1]" }],
])(
  "another %s with the same process id is not taken for this one, nor for gone",
  async (_, other) => {
    for (const pid of [process.pid, GONE.pid]) {
      const folder = await mkdtemp(join(work, "x-"));
      const held = await takeLock(folder, "out", as({ ...other, pid }));
      await expect(takeLock(folder, "out")).rejects.toMatchObject({
        code: "busy",
        details: { lock: join(folder, "lock") },
      });
      await held.release();
      await (await takeLock(folder, "out")).release();
    }
  },
);

test("a lock that cannot be read may be being written: it stays", async () => {
  for (const text of ["", '{"host": "a"', "null", '{"pid": 1}']) {
    await writeFile(join(work, "lock"), text);
    await expect(takeLock(work, "out")).rejects.toMatchObject({ code: "busy" });
    expect(await readFile(join(work, "lock"), "utf8")).toBe(text);
  }
});

test("a lock of earlier versions, a process id alone, is void once no such process runs", async () => {
  await writeFile(join(work, "lock"), String(process.pid));
  await expect(takeLock(work, "out")).rejects.toMatchObject({ code: "busy" });
  await writeFile(join(work, "lock"), "999999999");
  await (await takeLock(work, "out")).release();
});

test("a release removes no lock but its own", async () => {
  const lock = await takeLock(work, "out");
  await writeFile(
    join(work, "lock"),
    JSON.stringify({ ...(await ownIdentity()), token: "another" }),
  );
  await lock.release();
  expect(await readdir(work)).toEqual(["lock"]);
});

test("of many who find the same stale lock, exactly one takes over", async () => {
  for (let round = 0; round < 20; round++) {
    const folder = await mkdtemp(join(work, "race-"));
    if (round % 2 === 0) await takeLock(folder, "out", as(GONE));
    const taken = await Promise.allSettled(
      Array.from({ length: 16 }, () => takeLock(folder, "out")),
    );
    expect(taken.filter(({ status }) => status === "fulfilled").length).toBe(1);
  }
});

test("whoever is asked about itself has not ended; what cannot be seen has not either", async () => {
  const own = await ownIdentity();
  expect(await hasEnded(own, own)).toBe(false);
  expect(await hasEnded({ ...own, ...GONE }, own)).toBe(true);
  expect(await hasEnded({ ...own, ...GONE, host: "elsewhere" }, own)).toBe(false);
  expect(await hasEnded({ ...own, ...GONE, ids: null }, own)).toBe(own.ids === null);
});
