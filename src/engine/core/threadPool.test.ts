import { expect, test } from "vitest";
import { EngineError } from "../contract/index.ts";
import { createPool } from "./threadPool.ts";
import { type Line, serveTasks, type Threads } from "./threads.ts";

const tasks = {
  /** Adds to what was shared; refuses what is negative. */
  add: (shared: { readonly to: number }) => (piece: number) => {
    if (piece < 0) throw new EngineError("usage", `${piece} is negative.`, { piece });
    return shared.to + piece;
  },
  /** Takes its time to get ready and to answer. */
  slow: async (shared: string) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return async (piece: string) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return shared + piece;
    };
  },
};

/** Threads over real message channels; what crosses is cloned as it is between threads. */
function channels(count: number, dies?: "at once" | "at work") {
  const live = new Set<MessageChannel>();
  let started = 0;
  const threads: Threads = {
    count,
    start() {
      const channel = new MessageChannel();
      started++;
      live.add(channel);
      const [near, far] = [lineOf(channel.port1), lineOf(channel.port2)];
      let fail = (_: unknown) => {};
      serveTasks(tasks, {
        post: (message) => far.post(message),
        listen: (hear) =>
          far.listen((message) => {
            const isPiece = "piece" in (message as object);
            const survives = (message as { piece?: unknown }).piece !== 13;
            if (isPiece && (dies === "at once" || (dies === "at work" && !survives)))
              fail(new Error("killed"));
            else hear(message);
          }),
      });
      return {
        ...near,
        onFailure(tell) {
          fail = tell;
        },
        end() {
          live.delete(channel);
          channel.port1.close();
        },
      };
    },
  };
  return { threads, live, started: () => started };
}

function lineOf(port: MessagePort): Line {
  return {
    post: (message) => port.postMessage(message),
    listen(hear) {
      port.onmessage = ({ data }) => hear(data);
    },
  };
}

const many = Array.from({ length: 50 }, (_, i) => i);

test.each([
  ["on the calling thread", undefined],
  ["on three threads", channels(3)],
  ["where threads do not start", channels(3, "at once")],
  [
    "where threads are forbidden",
    {
      threads: {
        count: 2,
        start() {
          throw new Error("forbidden");
        },
      },
      live: new Set(),
    },
  ],
])("answers come to who asked: %s", async (_, made) => {
  const pool = createPool(tasks, made?.threads);
  const one = pool.open("add", { to: 100 });
  const other = pool.open("add", { to: 1000 });
  const answers = await Promise.all(many.flatMap((i) => [one.run(i), other.run(i)]));
  expect(answers).toEqual(many.flatMap((i) => [100 + i, 1000 + i]));
  one.close();
  other.close();
  expect(made?.live.size ?? 0).toBe(0);
});

test("no more threads are started than were given, and they end with the last work", async () => {
  const { threads, live, started } = channels(2);
  const pool = createPool(tasks, threads);
  const work = pool.open("slow", "a");
  expect(started()).toBe(0);
  await Promise.all(["b", "c", "d", "e"].map((piece) => work.run(piece)));
  expect(started()).toBe(2);
  expect(live.size).toBe(2);
  work.close();
  expect(live.size).toBe(0);
  const again = pool.open("slow", "x");
  expect(await again.run("y")).toBe("xy");
  again.close();
});

test.each([undefined, channels(2).threads])("a task's own error arrives as it is", async (t) => {
  const work = createPool(tasks, t).open("add", { to: 0 });
  await expect(work.run(-3)).rejects.toMatchObject({ code: "usage", details: { piece: -3 } });
  expect(await work.run(3)).toBe(3);
  work.close();
});

test("a thread that dies at work fails its piece and no other", async () => {
  const pool = createPool(tasks, channels(2, "at work").threads);
  const work = pool.open("add", { to: 0 });
  await Promise.all([work.run(1), work.run(2)]);
  const answers = await Promise.allSettled(many.map((i) => work.run(i)));
  const failed = answers.flatMap(({ status }, i) => (status === "rejected" ? [i] : []));
  expect(failed).toEqual([13]);
  expect(answers[13]).toMatchObject({ reason: { code: "internal" } });
  work.close();
});

test.each([undefined, channels(2).threads])("an aborted piece is not waited for", async (t) => {
  const work = createPool(tasks, t).open("slow", "a");
  const controller = new AbortController();
  const pieces = ["b", "c", "d", "e"].map((piece) => work.run(piece, controller.signal));
  const kept = work.run("f");
  const reason = new EngineError("cancelled", "Enough.");
  controller.abort(reason);
  const answers = await Promise.allSettled(pieces);
  expect(answers.map((answer) => answer.status)).toEqual(Array(4).fill("rejected"));
  expect(answers[0]).toMatchObject({ reason });
  expect(await kept).toBe("af");
  await expect(work.run("g", controller.signal)).rejects.toBe(reason);
  work.close();
});

test("many pieces of one signal have one listener, and none when they are done", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  const work = createPool(tasks).open("add", { to: 0 });
  const adding = many.map((i) => work.run(i, signal));
  expect(listeners).toBe(1);
  await Promise.all(adding);
  expect(listeners).toBe(0);
  work.close();
});

test.each([undefined, channels(2).threads])("closing rejects what has no answer", async (t) => {
  const work = createPool(tasks, t).open("slow", "a");
  const pieces = ["b", "c", "d"].map((piece) => work.run(piece));
  work.close();
  for (const piece of pieces) await expect(piece).rejects.toMatchObject({ code: "cancelled" });
  await expect(work.run("e")).rejects.toMatchObject({ code: "cancelled" });
});

test("the calling thread gives others their turn", async () => {
  const busy = {
    spin: () => (ms: number) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
      return ms;
    },
  };
  const work = createPool(busy).open("spin", undefined as never);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await Promise.all(Array.from({ length: 10 }, () => work.run(10)));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(2);
  work.close();
});
