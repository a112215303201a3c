import type { Gpu } from "../../gpu/device.ts";
import { Recorder } from "../kernels/recorder.ts";

/** Raised whenever a kernel changes: earlier timings are then void. */
const VERSION = 1;
/** Milliseconds of work between two fences; a fence itself takes up to a millisecond. */
const MS_PER_FENCE = 2;
const MOST_RUNS = 32;
const ROUNDS = 3;
/** Ratio to the best time beyond which a candidate is not timed again. */
const HOPELESS = 3;
/** Speed-up that a candidate needs to replace the default: timings vary by as much. */
const MARGIN = 1.1;

/** Kernels with the same result, to be timed on one kind of work. */
export interface Contest {
  /** Name of the kind of work, which the decision is stored under. */
  readonly name: string;
  /** Candidates, the default first. */
  readonly candidates: readonly string[];
  /** Allocates buffers; `run` records one dispatch of a candidate. */
  prepare(recorder: Recorder): { run(candidate: string): Promise<void>; release(): void };
}

/** Winning candidate by the contest's name. */
export type Winners = ReadonlyMap<string, string>;

interface Device {
  readonly winners: Map<string, string>;
  /** Contests run one after the other: together they would distort each other's timings. */
  turn: Promise<unknown>;
}
const devices = new WeakMap<Gpu, Device>();

/**
 * Decides every contest that this adapter has not decided before, in `budgetMs` in all. Contests
 * that cannot be timed go to the default. Decisions last as long as the device, and with
 * `gpu.findings` beyond it: equal work gives equal bits.
 */
export function decideContests(
  gpu: Gpu,
  contests: readonly Contest[],
  budgetMs: number,
): Promise<Winners> {
  const device = devices.get(gpu) ?? { winners: new Map(), turn: Promise.resolve() };
  devices.set(gpu, device);
  const decided = device.turn.then(() => decideInTurn(gpu, device.winners, contests, budgetMs));
  device.turn = decided.catch(() => undefined);
  return decided;
}

async function decideInTurn(
  gpu: Gpu,
  winners: Map<string, string>,
  contests: readonly Contest[],
  budgetMs: number,
): Promise<Winners> {
  const key = `kernels ${VERSION} ${gpu.name}`;
  const kept = winners.size === 0 ? await gpu.findings?.get(key).catch(() => undefined) : undefined;
  const isOpen = ({ name, candidates }: Contest) => !candidates.includes(winners.get(name) ?? "");
  for (const { name, candidates } of contests) {
    const known = isRecord(kept) ? kept[name] : undefined;
    if (typeof known === "string" && candidates.includes(known)) winners.set(name, known);
  }
  const open = contests.filter(isOpen);
  const deadline = performance.now() + budgetMs;
  for (const contest of open) {
    winners.set(contest.name, await decide(gpu, contest, deadline));
  }
  if (open.length > 0) {
    const all = { ...(isRecord(kept) ? kept : {}), ...Object.fromEntries(winners) };
    await gpu.findings?.set(key, all).catch(() => undefined); // a full disk costs the next visit 0.3 s
  }
  return winners;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** Fastest candidate, or the default where timing fails. */
async function decide(gpu: Gpu, contest: Contest, deadline: number): Promise<string> {
  const [rule = ""] = contest.candidates;
  if (contest.candidates.length === 1 || performance.now() > deadline) return rule;
  let release = () => {};
  try {
    const recorder = new Recorder(gpu);
    release = () => recorder.release();
    const prepared = contest.prepare(recorder);
    release = () => {
      prepared.release();
      recorder.release();
    };
    const clock = { gpu, recorder, run: prepared.run, deadline };
    const times = await timeCandidates(clock, contest.candidates);
    return pickWinner(times, rule, MARGIN);
  } catch {
    return rule; // no room for the buffers, or no kernel that this driver compiles
  } finally {
    release();
  }
}

/** Candidate with the least time, unless the default's is within the margin. */
export function pickWinner(
  times: ReadonlyMap<string, number>,
  rule: string,
  margin: number,
): string {
  const msOf = (candidate: string) => times.get(candidate) ?? Number.POSITIVE_INFINITY;
  let best = rule;
  for (const candidate of times.keys()) if (msOf(candidate) < msOf(best)) best = candidate;
  return msOf(best) * margin < msOf(rule) ? best : rule;
}

interface Clock {
  readonly gpu: Gpu;
  readonly recorder: Recorder;
  readonly run: (candidate: string) => Promise<void>;
  readonly deadline: number;
}

/**
 * Best time of one run of each candidate, in milliseconds; throws where there is no time for a
 * round.
 */
async function timeCandidates(
  clock: Clock,
  candidates: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const first = new Map<string, number>();
  for (const candidate of candidates) {
    checkTime(clock);
    try {
      await compileInTime(clock, candidate);
      await timeRuns(clock, candidate, 1); // what drivers leave until the first run
      first.set(candidate, await timeRuns(clock, candidate, 1));
    } catch (error) {
      // A failure of the default is an error; other candidates are skipped.
      if (candidate === candidates[0] || error instanceof OutOfTime) throw error;
      clock.recorder.discard();
    }
  }
  const best = Math.min(...first.values());
  const runs = Math.max(1, Math.min(MOST_RUNS, Math.ceil(MS_PER_FENCE / best)));
  const times = new Map([...first].filter(([, once]) => once > HOPELESS * best));
  const close = [...first.keys()].filter((candidate) => !times.has(candidate));
  for (let round = 0; round < ROUNDS; round++) {
    for (const candidate of close) {
      checkTime(clock);
      const ms = await timeRuns(clock, candidate, runs);
      times.set(candidate, Math.min(times.get(candidate) ?? ms, ms));
    }
  }
  return times;
}

/** Compiles within the deadline: a driver may take seconds. */
async function compileInTime({ run, recorder, deadline }: Clock, candidate: string) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OutOfTime()), Math.max(0, deadline - performance.now()));
  });
  try {
    await Promise.race([run(candidate), late]);
  } finally {
    clearTimeout(timer);
    recorder.discard();
  }
}

class OutOfTime extends Error {}

function checkTime({ deadline }: Clock): void {
  if (performance.now() > deadline) throw new OutOfTime();
}

async function timeRuns({ gpu, recorder, run }: Clock, candidate: string, runs: number) {
  for (let i = 0; i < runs; i++) await run(candidate);
  const begun = performance.now();
  await recorder.finish();
  await gpu.device.queue.onSubmittedWorkDone();
  return (performance.now() - begun) / runs;
}
