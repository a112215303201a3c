import { EngineError } from "../contract/index.ts";

/** Largest number of refusals that are listed; the others are counted. */
const MOST_TOLD = 10;

/** One error for several refused inputs, with a line for each. */
export function joinRefusals(refusals: readonly EngineError[], none: string): EngineError {
  const [first] = refusals as readonly [EngineError, ...EngineError[]];
  if (refusals.length === 1) return first;
  const told = refusals.slice(0, MOST_TOLD).map(({ message }) => `– ${message}`);
  const more = refusals.length - told.length;
  const rest = more > 0 ? [`– and ${more} more.`] : [];
  return new EngineError(first.code, [none, ...told, ...rest].join("\n"), {
    ...first.details,
    refused: refusals.length,
  });
}
