import type { ExtraGroup, Finding } from "../../contract/index.ts";
import { finding, type Source } from "./sources.ts";

/** A tensor that only some models have. */
export interface Absence {
  readonly tensor: string;
  readonly has: readonly Source[];
  readonly lacks: readonly Source[];
  readonly outcome: keyof typeof OUTCOMES;
}

/** What becomes of a tensor that some models lack, and in the recipe's words. */
const OUTCOMES = {
  "only one has it": "copy",
  "merged from the others": "merge",
  "copied if equal": "copy",
  "the base lacks it": "refuse",
  // As the recipe wants.
  copy: "copy",
  leave_out: "leave_out",
  refuse: "refuse",
} as const satisfies Readonly<Record<string, ExtraGroup["outcome"]>>;

const list = (sources: readonly Source[]) => sources.map(({ key }) => `"${key}"`).join(", ");

/** `"mtp.fc.weight"`, or `"mtp.fc.weight" and 14 tensors more`. */
function sayTensors(tensors: readonly string[]): string {
  const more = tensors.length - 1;
  const beside = more === 0 ? "" : ` and ${more} ${more === 1 ? "tensor" : "tensors"} more`;
  return `"${tensors[0]!}"${beside}`;
}

function describe({ has, lacks, outcome }: Absence, tensors: readonly string[]): string {
  const names = sayTensors(tensors);
  const they = tensors.length === 1 ? "it is" : "they are";
  switch (outcome) {
    case "only one has it":
      return `Only ${list(has)} has ${names}: ${they} copied from there. "extra_tensors" in the recipe can leave ${tensors.length === 1 ? "it" : "them"} out or refuse that.`;
    case "merged from the others":
      return `${list(lacks)} has no tensor ${names}: ${they} merged without that model.`;
    case "copied if equal":
      return `${list(lacks)} has no tensor ${names}: ${they} copied from the others.`;
    case "copy":
      return `Not every model has ${names}: ${they} copied from ${list(has.slice(0, 1))}, as the recipe wants.`;
    case "leave_out":
      return `Not every model has ${names}: left out, as the recipe wants.`;
    case "refuse":
      return `Only ${list(has)} has ${names}, and the recipe refuses that ("extra_tensors").`;
    case "the base lacks it":
      return `The base ${list(lacks.slice(0, 1))} has no tensor ${names}, which ${list(has)} have: without it their changes cannot be told. Say under "extra_tensors" what becomes of ${tensors.length === 1 ? "it" : "them"}: copy (from ${list(has.slice(0, 1))}) or leave_out.`;
    default:
      return outcome satisfies never;
  }
}

/** Absences of the same models with the same outcome, with all their tensors. */
function groupAbsences(absences: readonly Absence[]): readonly (readonly [Absence, string[]])[] {
  const groups = new Map<string, readonly [Absence, string[]]>();
  for (const absence of absences) {
    const { tensor, has, lacks, outcome } = absence;
    const keys = [has, lacks].map((sources) => sources.map(({ key }) => key));
    const group = JSON.stringify([outcome, ...keys]);
    const known = groups.get(group);
    if (known) known[1].push(tensor);
    else groups.set(group, [absence, [tensor]]);
  }
  return [...groups.values()];
}

function severityOf(outcome: Absence["outcome"]): Finding["severity"] {
  if (OUTCOMES[outcome] === "refuse") return "error";
  return outcome === "copy" || outcome === "leave_out" ? "note" : "warning";
}

/** One finding for all tensors that the same models lack and that the same becomes of. */
export function describeAbsences(absences: readonly Absence[]): readonly Finding[] {
  return groupAbsences(absences).map(([absence, tensors]) => {
    const severity = severityOf(absence.outcome);
    const lacking = severity !== "error" && absence.lacks.length === 1 ? absence.lacks[0] : null;
    const source = lacking ?? absence.has[0];
    const about = { source, tensor: tensors[0]!, setting: "extra_tensors", items: tensors };
    const code = severity === "note" ? "info" : "missing-tensor";
    return finding(severity, code, describe(absence, tensors), about);
  });
}

/** The same for a form that edits `extra_tensors`. */
export function listExtras(absences: readonly Absence[]): readonly ExtraGroup[] {
  const keysOf = (sources: readonly Source[]) => sources.map(({ key }) => key);
  return groupAbsences(absences).map(([{ has, lacks, outcome }, tensors]) => ({
    tensors,
    has: keysOf(has),
    lacks: keysOf(lacks),
    outcome: OUTCOMES[outcome],
  }));
}
