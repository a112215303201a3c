import type { Finding } from "../../contract/index.ts";
import { finding, type Source } from "./sources.ts";

/** A tensor that only some models have. */
export interface Absence {
  readonly tensor: string;
  readonly has: readonly Source[];
  readonly lacks: readonly Source[];
  /** `copy` and `leave_out`: as the recipe wants. */
  readonly outcome:
    | "only one has it"
    | "merged from the others"
    | "copied if equal"
    | "copy"
    | "leave_out";
}

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
    default:
      return outcome satisfies never;
  }
}

/** One finding for all tensors that the same models lack and that the same becomes of. */
export function describeAbsences(absences: readonly Absence[]): readonly Finding[] {
  const groups = new Map<string, [Absence, string[]]>();
  for (const absence of absences) {
    const { tensor, has, lacks, outcome } = absence;
    const keys = [has, lacks].map((sources) => sources.map(({ key }) => key));
    const group = JSON.stringify([outcome, ...keys]);
    const known = groups.get(group);
    if (known) known[1].push(tensor);
    else groups.set(group, [absence, [tensor]]);
  }
  return [...groups.values()].map(([absence, tensors]) => {
    const asked = absence.outcome === "copy" || absence.outcome === "leave_out";
    const source = absence.lacks.length === 1 ? absence.lacks[0] : absence.has[0];
    return finding(
      asked ? "note" : "warning",
      asked ? "info" : "missing-tensor",
      describe(absence, tensors),
      { source, tensor: tensors[0]! },
    );
  });
}
