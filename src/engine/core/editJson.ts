import { findJsonProblem, type JsonMember } from "./json.ts";

const RULES = { maxDepth: 64, duplicateKeys: "allow" } as const;

/**
 * The text of a JSON object with these members at its top, a value as JSON each, null to take it
 * out. All other characters stay: Python distinguishes 10000.0 from 10000, and reads longer numbers
 * than JavaScript. A member that the text lacks becomes its last. The text is known to be JSON.
 */
export function setMembers(text: string, values: Readonly<Record<string, string | null>>): string {
  return Object.entries(values).reduce((done, [key, json]) => setMember(done, key, json), text);
}

function setMember(text: string, key: string, json: string | null): string {
  const members: JsonMember[] = [];
  findJsonProblem(text, {
    ...RULES,
    onMember: (member) => {
      if (member.path.length === 0) members.push(member);
    },
  });
  const at = members.findIndex((member) => member.key === key);
  const found = members[at];
  const last = members.at(-1);
  if (json === null) return found ? cutMember(text, members, at) : text;
  if (found) return text.slice(0, found.start) + json + text.slice(found.end);
  const end = last ? last.end : text.indexOf("{") + 1;
  const member = `${last ? "," : ""}\n  ${JSON.stringify(key)}: ${json}${last ? "" : "\n"}`;
  return text.slice(0, end) + member + text.slice(end);
}

/** The text without a member and one comma beside it. */
function cutMember(text: string, members: readonly JsonMember[], at: number): string {
  const [before, member, after] = [members[at - 1], members[at]!, members[at + 1]];
  if (after) return text.slice(0, member.keyStart) + text.slice(after.keyStart);
  return text.slice(0, before ? before.end : text.indexOf("{") + 1) + text.slice(member.end);
}
