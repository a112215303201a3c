import type { Finding } from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import { formatCount } from "../../theme/format.ts";
import { NameList } from "./NameList.tsx";

const TITLES = { error: "Cannot merge.", warning: "Warning.", note: "Note." } as const;
/** More findings of one severity than this are folded away. */
const SHOWN = 6;

interface FindingsProps {
  readonly severity: Finding["severity"];
  readonly findings: readonly Finding[];
}

/** Findings of one severity, one a kind; notes are folded away, since nothing has to be done about them. */
export function Findings({ severity, findings }: FindingsProps) {
  const own = findings.filter((finding) => finding.severity === severity);
  const shown = severity === "note" ? 0 : SHOWN;
  const rest = own.slice(shown);
  const line = (finding: Finding) => (
    <FindingLine
      key={`${finding.message}${finding.tensor ?? ""}${finding.model ?? ""}`}
      finding={finding}
    />
  );
  return (
    <>
      {own.slice(0, shown).map(line)}
      {rest.length > 0 && (
        <details className="fold findings-rest">
          <summary>
            <span className="small">{severity === "note" ? "Notes" : "More"}</span>
            <span className="small faint num">{formatCount(rest.length)}</span>
          </summary>
          {rest.map(line)}
        </details>
      )}
    </>
  );
}

function FindingLine({ finding }: { readonly finding: Finding }) {
  const { severity, code, line, message, items = [] } = finding;
  return (
    <Note
      tone={severity}
      {...(severity === "note" ? {} : { title: TITLES[severity] })}
      code={code === "info" ? null : code}
      below={items.length > 1 && <NameList label={message.slice(0, 80)} names={items} />}
    >
      {line !== undefined && `Line ${line}: `}
      {message}
    </Note>
  );
}
