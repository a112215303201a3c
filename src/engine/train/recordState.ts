import type { TrainingPoint } from "../contract/index.ts";
import {
  decodePlain,
  encodePlain,
  type RecordStore,
  readRecords,
} from "../fuse/dataset/recordStore.ts";
import type { TrainingStore } from "./run.ts";

/** A note of a training's log. */
type Note =
  | { readonly kind: "start"; readonly heldOut: number | null; readonly steps: number }
  | { readonly kind: "point"; readonly point: TrainingPoint; readonly milliseconds: number }
  | { readonly kind: "state"; readonly step: number };

/** A training's log, read back. */
export interface TrainingNotes {
  readonly heldOutBefore: number | null;
  readonly steps: number;
  /** Latest point of every step. */
  readonly points: readonly TrainingPoint[];
  /** Step of the last complete state; 0: none. */
  readonly savedStep: number;
  readonly tokensPerSecond: number | null;
}

const notesFolder = (id: string) => `training/${id}`;
const stateFolder = (id: string, step: number) => `training/${id}/state/${step}`;

/** Reads the log. Points after the last state are included; their steps will be repeated. */
export async function readNotes(records: RecordStore, id: string): Promise<TrainingNotes> {
  const points = new Map<number, { point: TrainingPoint; milliseconds: number }>();
  let start = { heldOut: null as number | null, steps: 0 };
  let savedStep = 0;
  for await (const bytes of readRecords(records, notesFolder(id))) {
    const note = decodePlain<Note>(bytes);
    if (note.kind === "start") start = note;
    else if (note.kind === "state") savedStep = note.step;
    else {
      // A point that is noted again with its held-out score keeps its first duration: held-out
      // reading is not training time.
      const { milliseconds } = points.get(note.point.step) ?? note;
      points.set(note.point.step, { point: note.point, milliseconds });
    }
  }
  const told = [...points.values()];
  const tokens = told.reduce((sum, { point }) => sum + point.tokens, 0);
  const milliseconds = told.reduce((sum, each) => sum + each.milliseconds, 0);
  return {
    heldOutBefore: start.heldOut,
    steps: start.steps,
    points: told.map(({ point }) => point).sort((a, b) => a.step - b.step),
    savedStep,
    tokensPerSecond: milliseconds > 0 ? (1000 * tokens) / milliseconds : null,
  };
}

/** Log and states of a training in the record store. */
export function recordTraining(records: RecordStore, id: string) {
  let before = Date.now();
  const note = (one: Note) => records.append(notesFolder(id), [encodePlain(one)]);
  const store: TrainingStore = {
    async load() {
      const { savedStep } = await readNotes(records, id);
      before = Date.now();
      if (savedStep === 0) return null;
      // One piece at a time: a piece is as large as may be in memory.
      return { step: savedStep, pieces: readRecords(records, stateFolder(id, savedStep), 0, 1) };
    },
    async save(step, pieces) {
      const { savedStep } = await readNotes(records, id);
      const folder = stateFolder(id, step);
      await records.deleteFolder(folder); // what a crash left of it
      for await (const piece of pieces) await records.append(folder, [piece]);
      await note({ kind: "state", step });
      if (savedStep > 0 && savedStep !== step) {
        await records.deleteFolder(stateFolder(id, savedStep));
      }
    },
  };
  return {
    store,
    async noteStart(heldOut: number | null, steps: number): Promise<void> {
      await note({ kind: "start", heldOut, steps });
      before = Date.now();
    },
    async notePoint(point: TrainingPoint): Promise<void> {
      const now = Date.now();
      await note({ kind: "point", point, milliseconds: now - before });
      before = now;
    },
  };
}

/** Deletes the states of a training; with `curve` its log, too. */
export async function forgetTraining(
  records: RecordStore,
  id: string,
  { curve }: { readonly curve: boolean },
): Promise<void> {
  for (const folder of await records.folders()) {
    if (folder.startsWith(`${notesFolder(id)}/`)) await records.deleteFolder(folder);
  }
  if (curve) await records.deleteFolder(notesFolder(id));
}
