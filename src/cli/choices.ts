import { EngineError } from "../engine/contract/index.ts";
import type { Call } from "./command.ts";

/** Choice of an option; undefined where it is not given, `usage` for other words. */
export function readChoice<T extends string>(
  options: Call["options"],
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new EngineError(
    "usage",
    `--${name} is "${text}"; it must be one of ${choices.join(", ")}.`,
    { option: name },
  );
}
