import { expect, test } from "vitest";
import { EngineError } from "../contract/index.ts";
import { goOnAfterLosses } from "./lostDevice.ts";

const lost = () => new EngineError("gpu-lost", "The GPU device was lost.", {});

test("work goes on over any number of devices as long as it advances", async () => {
  let done = 0;
  const work = async () => {
    while (done < 20) {
      done += 1;
      if (done % 2 === 0) throw lost();
    }
    return "all";
  };
  expect(await goOnAfterLosses(work, () => done)).toBe("all");
  expect(done).toBe(20);
});

test("the fourth loss in a row without progress ends it; progress forgives", async () => {
  let calls = 0;
  const stuck = goOnAfterLosses(
    async () => {
      calls += 1;
      throw lost();
    },
    () => 0,
  );
  await expect(stuck).rejects.toMatchObject({ code: "gpu-lost" });
  expect(calls).toBe(4);

  calls = 0;
  let done = 0;
  const slow = goOnAfterLosses(
    async () => {
      calls += 1;
      if (calls === 4) done = 1;
      throw lost();
    },
    () => done,
  );
  await expect(slow).rejects.toMatchObject({ code: "gpu-lost" });
  expect(calls).toBe(8); // three losses, one that advanced, and four more
});

test("other errors are not tried again", async () => {
  let calls = 0;
  const work = async () => {
    calls += 1;
    throw new EngineError("gpu-memory", "There is no room.", {});
  };
  await expect(goOnAfterLosses(work, () => 0)).rejects.toMatchObject({ code: "gpu-memory" });
  expect(calls).toBe(1);
});
