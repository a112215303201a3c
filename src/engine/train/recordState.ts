import type { TrainingPoint } from "../contract/index.ts";
import {
  decodePlain,
  encodePlain,
  type RecordStore,
  readRecords,
} from "../fuse/dataset/recordStore.ts";
import type { TrainingStore } from "./run.ts";

/** What was written down of a training, in the order it came. */
type Note =
  | { readonly kind: "start"; readonly heldOut: number | null; readonly steps: number }
  | { readonly kind: "point"; readonly point: TrainingPoint; readonly milliseconds: number }
  | { readonly kind: "state"; readonly step: number };

/** A training as its records tell it. */
export interface TrainingNotes {
  readonly heldOutBefore: number | null;
  readonly steps: number;
  /** Of every step the latest. */
  readonly points: readonly TrainingPoint[];
  /** The step that the last whole state stands at; 0: none. */
  readonly savedStep: number;
  readonly tokensPerSecond: number | null;
}

const notesFolder = (id: string) => `training/${id}`;
const stateFolder = (id: string, step: number) => `training/${id}/state/${step}`;

/** Everything that was noted so far; points after the last state are told, and done again. */
export async function readNotes(records: RecordStore, id: string): Promise<TrainingNotes> {
  const points = new Map<number, { point: TrainingPoint; milliseconds: number }>();
  let start = { heldOut: null as number | null, steps: 0 };
  let savedStep = 0;
  for await (const bytes of readRecords(records, notesFolder(id))) {
    const note = decodePlain<Note>(bytes);
    if (note.kind === "start") start = note;
    else if (note.kind === "state") savedStep = note.step;
    else {
      // Told once more with what is held out: that reading is no part of the training's pace.
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

/** A training's notes and states among the records. */
export function recordTraining(records: RecordStore, id: string) {
  let before = Date.now();
  const note = (one: Note) => records.append(notesFolder(id), [encodePlain(one)]);
  const store: TrainingStore = {
    async load() {
      const { savedStep } = await readNotes(records, id);
      before = Date.now();
      if (savedStep === 0) return null;
      // One at a time: pieces are as large as may be in memory.
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

/** Frees everything of a training; its curve with `curve`. */
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
