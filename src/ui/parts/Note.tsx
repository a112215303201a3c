import type { ReactNode } from "react";
import "./parts.css";

export type NoteTone = "note" | "warning" | "error" | "ok";

interface NoteProps {
  readonly tone: NoteTone;
  readonly title?: string;
  /** Error code, shown small. */
  readonly code?: string | null;
  readonly children: ReactNode;
  /** Beneath the sentence and its code. */
  readonly below?: ReactNode;
  readonly role?: "alert" | "status";
}

/** A note. Its title names the tone in words, since colour alone does not. */
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
