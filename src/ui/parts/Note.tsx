import type { ReactNode } from "react";
import "./parts.css";

export type NoteTone = "note" | "warning" | "error" | "ok";

interface NoteProps {
  readonly tone: NoteTone;
  readonly title?: string;
  /** A code for programs and for searching, shown small. */
  readonly code?: string | null;
  readonly children: ReactNode;
  /** Beneath the sentence and its code. */
  readonly below?: ReactNode;
  readonly role?: "alert" | "status";
}

/** A sentence worth reading. Its title says the tone too, for those who do not see the colour. */
export function Note({ tone, title, code, children, below, role }: NoteProps) {
  return (
    <div className="note" data-tone={tone} role={role}>
      {title && <b>{title} </b>}
      {children}
      {code && <span className="note-code"> {code}</span>}
      {below}
    </div>
  );
}
