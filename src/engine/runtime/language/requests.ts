import { EngineError, type GenerateRequest } from "../../contract/index.ts";
import { utf8Bytes } from "../../core/bytes.ts";

const MOST_TOP = 20;
const MOST_TOKENS = 2 ** 20;
/** Largest text that is read at once; longer texts are for an evaluation, which has windows. */
const MOST_TEXT_BYTES = 2 ** 20;

/** Checks that a number of a request is within bounds; `usage` with the bounds otherwise. */
function checkNumber(
  name: string,
  value: number,
  { min, max, whole }: { readonly min: number; readonly max: number; readonly whole?: boolean },
): void {
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return;
  const kind = whole ? "a whole number" : "a number";
  throw new EngineError("usage", `${name} is ${value}; it must be ${kind} from ${min} to ${max}.`, {
    name,
    value,
  });
}

/** Refuses a `topCount` out of range. */
export function checkTopCount(topCount: number): void {
  checkNumber("topCount", topCount, { min: 0, max: MOST_TOP, whole: true });
}

/** Refuses sampling settings out of range. */
export function checkGenerate({ maxTokens, sampling, topCount }: GenerateRequest): void {
  checkTopCount(topCount);
  checkNumber("maxTokens", maxTokens, { min: 1, max: MOST_TOKENS, whole: true });
  checkNumber("temperature", sampling.temperature, { min: 0, max: 100 });
  checkNumber("topK", sampling.topK, { min: 0, max: 2 ** 24, whole: true });
  checkNumber("topP", sampling.topP, { min: 0, max: 1 });
  checkNumber("minP", sampling.minP, { min: 0, max: 1 });
  checkNumber("repetitionPenalty", sampling.repetitionPenalty, { min: 1e-3, max: 1e3 });
  checkNumber("seed", sampling.seed, { min: 0, max: 2 ** 32 - 1, whole: true });
}

/** UTF-8 bytes of a text; `usage` where it is too long to be read at once. */
export function checkText(text: string): number {
  const bytes = text.length > MOST_TEXT_BYTES ? text.length : utf8Bytes(text);
  if (bytes <= MOST_TEXT_BYTES) return bytes;
  throw new EngineError(
    "usage",
    `The text has at least ${bytes} bytes; at most ${MOST_TEXT_BYTES} (1 MiB) are read at once. Shorten it, or make a dataset of it and evaluate.`,
    { bytes, limit: MOST_TEXT_BYTES },
  );
}

/** Refuses more tokens than the model's context. */
export function checkContext(tokens: number, contextLength: number, model: string): void {
  if (tokens <= contextLength) return;
  throw new EngineError(
    "usage",
    `The text is ${tokens} tokens of ${model}, whose context has room for ${contextLength}. Shorten it.`,
    { tokens, contextLength, model },
  );
}
