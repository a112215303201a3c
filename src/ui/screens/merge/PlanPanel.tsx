import { useStore } from "zustand";
import type { Finding, MergePlan } from "../../../engine/contract/index.ts";
import { Facts } from "../../parts/Facts.tsx";
import { Note } from "../../parts/Note.tsx";
import { Section } from "../../parts/Section.tsx";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatCount, formatDuration } from "../../theme/format.ts";

const TITLES = { error: "Cannot merge.", warning: "Warning.", note: "Note." } as const;
const SEVERITIES = ["error", "warning", "note"] as const;
/** More findings of one severity than this are folded away. */
const SHOWN = 6;

/** What the merge will cost, and what a person should know before it runs. */
export function PlanPanel({ studio }: { readonly studio: Studio }) {
  const plan = useStore(studio.forecast, (state) => state.plan);
  const failure = useStore(studio.forecast, (state) => state.planFailure);
  const pending = useStore(studio.forecast, (state) => state.pending);
  const ignored = useStore(studio.recipe, (state) => state.ignored);
  const count = useStore(studio.recipe, (state) => state.recipe.models.length);
  if (count === 0) return null;
  return (
    <Section
      title="Plan"
      aside={
        <span className="small muted" role="status">
          {pending && (plan || failure) ? "out of date, being made anew" : ""}
        </span>
      }
    >
      <div className="plan" aria-busy={pending}>
        {failure && (
          <Note tone="error" title="Cannot merge." code={failure.code} role="alert">
            {failure.message}
          </Note>
        )}
        {!failure && !plan && <p className="small muted">Reading the headers…</p>}
        {!failure && plan && (
          <>
            <Facts rows={factsOf(plan)} />
            <div className="findings">
              {SEVERITIES.map((severity) => (
                <Findings
                  key={severity}
                  findings={[...ignored, ...plan.findings].filter(
                    (finding) => finding.severity === severity,
                  )}
                />
              ))}
            </div>
          </>
        )}
      </div>
    </Section>
  );
}

function factsOf(plan: MergePlan) {
  const copied = plan.tensors.filter(({ action }) => action === "copy").length;
  const tensors = formatCount(plan.tensors.length);
  return [
    ["Tensors", copied > 0 ? `${tensors}, ${formatCount(copied)} copied` : tensors],
    [
      "Reads",
      formatBytes(plan.readBytes / plan.passes) +
        (plan.passes > 1 ? ` × ${plan.passes} passes` : ""),
    ],
    [
      "Writes",
      `${formatBytes(plan.writeBytes)}, ${plan.shards === 1 ? "1 shard" : `${plan.shards} shards`}`,
    ],
    ["Peak GPU memory", formatBytes(plan.peakGpuBytes)],
    ["Time", plan.seconds === null ? "after a first merge" : formatDuration(plan.seconds)],
  ] as const;
}

function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  const line = (finding: Finding) => (
    <Note
      key={`${finding.message}${finding.tensor ?? ""}${finding.model ?? ""}`}
      tone={finding.severity}
      title={TITLES[finding.severity]}
      code={finding.code === "info" ? null : finding.code}
    >
      {finding.line !== undefined && `Line ${finding.line}: `}
      {finding.message}
    </Note>
  );
  const rest = findings.slice(SHOWN);
  return (
    <>
      {findings.slice(0, SHOWN).map(line)}
      {rest.length > 0 && (
        <details>
          <summary className="small">{formatCount(rest.length)} more</summary>
          {rest.map(line)}
        </details>
      )}
    </>
  );
}
