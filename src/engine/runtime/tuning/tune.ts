import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import { Recorder } from "../kernels/recorder.ts";

/** Raised whenever a kernel changes: what was measured before no longer holds. */
const VERSION = 2;
/** What each candidate runs for between two fences; a fence takes up to a millisecond by itself. */
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
  /** Allocates buffers, which `scope` keeps; returns what records one dispatch of a candidate. */
  prepare(recorder: Recorder, scope: ResourceScope): (candidate: string) => Promise<void>;
}

/** Which candidate won, by the name of each contest that was measured. */
export type Winners = ReadonlyMap<string, string>;

interface Device {
  readonly winners: Map<string, string>;
  /** Contests run one after the other: together they would distort each other's timings. */
  turn: Promise<unknown>;
}
const devices = new WeakMap<Gpu, Device>();

/**
 * Measures every contest that this adapter has not measured before, in `budgetMs` by the clock `now`.
 * A contest that could not be measured to its end, for want of time or room or because a kernel does
 * not compile, has no winner: the rule stands in, and another call tries again. What was measured is
 * kept as long as the device lives, and with `gpu.findings` beyond.
 */
export function decideContests(
  gpu: Gpu,
  contests: readonly Contest[],
  budgetMs: number,
  now: () => number = () => performance.now(),
): Promise<Winners> {
  const device = devices.get(gpu) ?? { winners: new Map(), turn: Promise.resolve() };
  devices.set(gpu, device);
  const decided = device.turn.then(() => {
    const limits = { now, deadline: now() + budgetMs };
    return decideInTurn(gpu, device.winners, contests, limits);
  });
  device.turn = decided.catch(() => undefined);
  return decided;
}

async function decideInTurn(
  gpu: Gpu,
  winners: Map<string, string>,
  contests: readonly Contest[],
  limits: Limits,
): Promise<Winners> {
  const key = `kernels ${VERSION} ${gpu.name}`;
  const kept = winners.size === 0 ? await gpu.findings?.get(key).catch(() => undefined) : undefined;
  const isOpen = ({ name, candidates }: Contest) => !candidates.includes(winners.get(name) ?? "");
  for (const { name, candidates } of contests) {
    const known = isRecord(kept) ? kept[name] : undefined;
    if (typeof known === "string" && candidates.includes(known)) winners.set(name, known);
  }
  const before = winners.size;
  for (const contest of contests.filter(isOpen)) {
    const winner = await measure(gpu, contest, limits);
    if (winner !== null) winners.set(contest.name, winner);
  }
  if (winners.size > before) {
    const all = { ...(isRecord(kept) ? kept : {}), ...Object.fromEntries(winners) };
    await gpu.findings?.set(key, all).catch(() => undefined); // a full disk costs the next visit 0.3 s
  }
  return winners;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

interface Limits {
  readonly now: () => number;
  readonly deadline: number;
}

/** The fastest candidate; null where that cannot be told. */
async function measure(gpu: Gpu, contest: Contest, limits: Limits): Promise<string | null> {
  const [rule = ""] = contest.candidates;
  if (contest.candidates.length === 1 || limits.now() > limits.deadline) return null;
  const scope = new ResourceScope();
  try {
    const recorder = scope.keep(new Recorder(gpu));
    const clock = { gpu, recorder, run: contest.prepare(recorder, scope), ...limits };
    const times = await timeCandidates(clock, contest.candidates);
    return pickWinner(times, rule, MARGIN);
  } catch {
    return null; // out of time, no room for the buffers, or the driver does not compile the rule's
  } finally {
    scope.release();
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

interface Clock extends Limits {
  readonly gpu: Gpu;
  readonly recorder: Recorder;
  readonly run: (candidate: string) => Promise<void>;
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

/** A driver may compile for seconds; then it does so for nobody. */
async function compileInTime({ run, recorder, now, deadline }: Clock, candidate: string) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OutOfTime()), Math.max(0, deadline - now()));
  });
  try {
    await Promise.race([run(candidate), late]);
  } finally {
    clearTimeout(timer);
    recorder.discard();
  }
}

class OutOfTime extends Error {}

function checkTime({ now, deadline }: Clock): void {
  if (now() > deadline) throw new OutOfTime();
}

async function timeRuns({ gpu, recorder, run, now }: Clock, candidate: string, runs: number) {
  for (let i = 0; i < runs; i++) await run(candidate);
  const begun = now();
  await recorder.finish();
  await gpu.device.queue.onSubmittedWorkDone();
  return (now() - begun) / runs;
}
