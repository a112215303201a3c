import { isObject } from "../../core/json.ts";
import type { ChatMessage } from "../templates/chat.ts";
import { type Fields, parseMessages, RowProblem, readMessages, say } from "./messages.ts";
import { readTranscript } from "./transcripts.ts";

const QUESTIONS = ["prompt", "question", "query", "problem", "instruction", "input"];
const ANSWERS = [
  "answer",
  "response",
  "completion",
  "output",
  "chosen",
  "solution",
  "canonical_solution",
  "answers",
  "target",
  "text",
];
/** Columns with the context of a question. */
const EXTRAS = ["input", "context"];
const SYSTEMS = ["system", "system_prompt"];

/** Column with the question of a row. */
export function questionOf(row: Fields): string | undefined {
  return QUESTIONS.find((key) => row[key] !== undefined && row[key] !== "");
}

/** Question and answer of a row, under any of their usual names. */
export function readPair(row: Fields, key: string): readonly ChatMessage[] | RowProblem {
  const asked = parseMessages(row[key]);
  const question = Array.isArray(asked) ? readMessages(asked) : readQuestion(row, key, asked);
  if (question instanceof RowProblem) return question;
  const found = ANSWERS.find(
    (name) => name !== key && row[name] !== undefined && row[name] !== null,
  );
  if (!found) return question;
  const answer = readAnswer(row[found]);
  if (answer instanceof RowProblem) return answer;
  // Some preference data repeats the whole chat in the answer.
  return answer[0]?.role === "user" ? answer : [...question, ...answer];
}

function readQuestion(
  row: Fields,
  key: string,
  asked: unknown,
): readonly ChatMessage[] | RowProblem {
  if (typeof asked !== "string") return new RowProblem(`a ${key} that is no text`);
  const extra = key !== "input" ? (EXTRAS.map((name) => row[name]).find(isSaid) ?? "") : "";
  const before = readSystem(row);
  const history = Array.isArray(row.history) ? row.history : [];
  const earlier = history.flatMap((turn) =>
    Array.isArray(turn) ? [say("user", String(turn[0])), say("assistant", String(turn[1]))] : [],
  );
  return [...before, ...earlier, say("user", extra === "" ? asked : `${asked}\n${extra}`)];
}

/** System text of a row, from a column of its own. */
export function readSystem(row: Fields): readonly ChatMessage[] {
  const text = SYSTEMS.map((name) => row[name]).find(isSaid);
  return text === undefined ? [] : [say("system", text)];
}

function isSaid(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Answer of a row: a text, a transcript, messages, or the first of several. */
export function readAnswer(given: unknown): readonly ChatMessage[] | RowProblem {
  const answer = parseMessages(given);
  if (typeof answer === "string") return readTranscript(answer) ?? [say("assistant", answer)];
  if (Array.isArray(answer)) {
    const first: unknown = answer[0];
    return typeof first === "string" ? [say("assistant", first)] : readMessages(answer);
  }
  if (!isObject(answer)) return new RowProblem("an answer that is no text");
  return Array.isArray(answer.text) ? readAnswer(answer.text) : readMessages([answer]);
}
