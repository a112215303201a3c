import type { ReactNode } from "react";
import "./parts.css";

interface EmptyProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** What stands where nothing is yet, and what to do about it. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
