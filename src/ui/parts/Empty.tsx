import type { ReactNode } from "react";
import "./parts.css";

interface EmptyProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** Placeholder of an empty list, with advice on how to fill it. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
