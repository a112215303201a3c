import type { ChatMessage } from "../templates/chat.ts";
import { roleOf, say } from "./messages.ts";

/** Speaker marks of transcripts. */
const MARKS: readonly RegExp[] = [
  /### ?(Human|User|Assistant|System):/g, // OpenAssistant Guanaco
  /(?:^|\n\n)(Human|Assistant):/g, // hh-rlhf
];

/** Chat of a transcript; null for other texts. */
export function readTranscript(text: string): readonly ChatMessage[] | null {
  for (const mark of MARKS) {
    const found = [...text.matchAll(mark)];
    const speakers = found.map(([, name]) => roleOf(name!)!);
    const [first] = found;
    if (!first || text.slice(0, first.index).trim() !== "") continue;
    if (!speakers.includes("user") || !speakers.includes("assistant")) continue;
    return found.map((each, i) => {
      const end = found[i + 1]?.index ?? text.length;
      return say(speakers[i]!, text.slice(each.index + each[0].length, end).trim());
    });
  }
  return null;
}
