import { type ReactNode, useId } from "react";
import "./parts.css";

interface SectionProps {
  readonly title: string;
  /** Content at the right end of the title's line. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A titled part of a column. */
export function Section({ title, aside, children }: SectionProps) {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <div className="section-head">
        <h2 className="section-title ellipsis" id={id} title={title}>
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
