import { expect, test } from "vitest";
import { EngineError } from "../contract/index.ts";
import { serveTasks, type Threads } from "./threads.ts";
import { createWatchdog } from "./watchdog.ts";

const tasks = {
  add: (shared: { readonly to: number }) => (piece: number) => {
    if (piece < 0) throw new EngineError("usage", `${piece} is negative.`, { piece });
    return shared.to + piece;
  },
  /** Never answers. */
  hang: () => () => new Promise<void>(() => {}),
};

/** Threads over real message channels; `dies` fails a thread that gets the piece 13. */
function channels(dies = false) {
  let [live, started] = [0, 0];
  const threads: Threads = {
    count: 1,
    start() {
      const { port1, port2 } = new MessageChannel();
      let fail = (_: unknown) => {};
      live += 1;
      started += 1;
      serveTasks(tasks, {
        post: (message) => port2.postMessage(message),
        listen(hear) {
          port2.onmessage = ({ data }) =>
            dies && data.piece === 13 ? fail(new Error("out of memory")) : hear(data);
        },
      });
      return {
        post: (message) => port1.postMessage(message),
        listen(hear) {
          port1.onmessage = ({ data }) => hear(data);
        },
        onFailure(tell) {
          fail = tell;
        },
        end() {
          live -= 1;
          port1.close();
        },
      };
    },
  };
  return { threads, live: () => live, started: () => started };
}

const allowance = {
  milliseconds: 2000,
  fail: (why: string) => new EngineError("bad-config", `The file ${why}.`),
};
const soon = { ...allowance, milliseconds: 20 };
const hundred = { to: 100 };

test("a call that takes too long ends its thread, and the next call works", async () => {
  const { threads, live, started } = channels();
  const watchdog = createWatchdog(tasks, threads);
  expect(await watchdog.run("add", hundred, 1, allowance)).toBe(101);
  const late = watchdog.run("hang", {} as never, undefined as never, soon);
  const waiting = watchdog.run("add", hundred, 2, allowance);
  await expect(late).rejects.toThrow("took longer than");
  expect(await waiting).toBe(102);
  expect([live(), started()]).toEqual([1, 2]);
  watchdog.close();
  expect(live()).toBe(0);
});

test("a failure of the work itself leaves the thread alive", async () => {
  const { threads, started } = channels();
  const watchdog = createWatchdog(tasks, threads);
  await expect(watchdog.run("add", hundred, -1, allowance)).rejects.toMatchObject({
    code: "usage",
    details: { piece: -1 },
  });
  expect(await watchdog.run("add", hundred, 1, allowance)).toBe(101);
  expect(started()).toBe(1);
  watchdog.close();
});

test("a thread that dies fails its call in the file's name", async () => {
  const { threads, started } = channels(true);
  const watchdog = createWatchdog(tasks, threads);
  await expect(watchdog.run("add", hundred, 13, allowance)).rejects.toThrow(/out of memory/);
  expect(await watchdog.run("add", hundred, 1, allowance)).toBe(101);
  expect(started()).toBe(2);
  watchdog.close();
});

test.each([
  ["there are no threads", undefined],
  [
    "threads are forbidden",
    {
      count: 1,
      start() {
        throw new Error("forbidden");
      },
    },
  ],
])("the calling thread works where %s", async (_, threads) => {
  const watchdog = createWatchdog(tasks, threads);
  expect(await watchdog.run("add", hundred, 1, allowance)).toBe(101);
});
