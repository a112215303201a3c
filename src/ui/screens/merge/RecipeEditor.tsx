import { useRef } from "react";
import { useStore } from "zustand";
import { Section } from "../../parts/Section.tsx";
import type { Studio } from "../../stores/studio.ts";

/** DOM id of the text. */
export const RECIPE_TEXT = "recipe-text";

/** The recipe as mergekit YAML, in step with the form; while it is no recipe the form waits. */
export function RecipeEditor({ studio }: { readonly studio: Studio }) {
  const text = useStore(studio.recipe, (state) => state.text);
  const problem = useStore(studio.recipe, (state) => state.problem);
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = text.replace(/\n$/, "").split("\n");
  const reveal = () => {
    const { line, column } = problem ?? {};
    if (!line || !area.current) return;
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const caret = start + (column ?? 1) - 1;
    area.current.focus();
    area.current.setSelectionRange(caret, caret);
  };
  const place = problem?.line
    ? `Line ${problem.line}${problem.column ? `, column ${problem.column}` : ""}`
    : null;
  return (
    <Section title="Recipe" aside={<span className="small faint">mergekit YAML</span>}>
      <div className="yaml mono" data-bad={problem !== null || undefined}>
        <div className="yaml-lines num" aria-hidden="true">
          {lines.map((_, index) => (
            <span key={`line ${index + 1}`} data-bad={problem?.line === index + 1 || undefined}>
              {index + 1}
            </span>
          ))}
        </div>
        <textarea
          ref={area}
          id={RECIPE_TEXT}
          aria-label="Recipe as YAML"
          aria-invalid={problem !== null}
          aria-describedby="yaml-problem"
          value={text}
          rows={Math.max(8, text.split("\n").length + 1)}
          spellCheck={false}
          autoCapitalize="off"
          wrap="off"
          onChange={({ currentTarget }) => studio.recipe.type(currentTarget.value)}
        />
      </div>
      <p id="yaml-problem" className="yaml-problem small" role="status">
        {problem && (
          <>
            {place && (
              <button type="button" className="link" onClick={reveal}>
                {place}
              </button>
            )}{" "}
            {problem.message} <span className="muted">The form keeps the last valid recipe.</span>
          </>
        )}
      </p>
    </Section>
  );
}
