import { useStore } from "zustand";
import type { Finding, MergePlan } from "../../../engine/contract/index.ts";
import { Facts } from "../../parts/Facts.tsx";
import { Note } from "../../parts/Note.tsx";
import { Section } from "../../parts/Section.tsx";
import { followedMerge } from "../../stores/commands.ts";
import { isEmpty } from "../../stores/recipeLists.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatCount, formatDuration } from "../../theme/format.ts";
import { asksConsent, Consents } from "./Consents.tsx";
import { ExtrasTable } from "./ExtrasTable.tsx";
import { Findings } from "./Findings.tsx";
import { VocabularyTable } from "./VocabularyTable.tsx";

/** What the merge will cost, and what a person should know before it runs. */
export function PlanPanel({ studio }: { readonly studio: Studio }) {
  const { plan, planFailure: failure, pending } = useStore(studio.forecast);
  const empty = useStore(studio.recipe, (state) => isEmpty(state.recipe));
  if (empty) return null;
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
        <LastFailure studio={studio} />
        {failure && (
          <Note tone="error" title="Cannot merge." code={failure.code} role="alert">
            {failure.message}
          </Note>
        )}
        {!failure && !plan && <p className="small muted">Reading the headers…</p>}
        {!failure && plan && <Outlook studio={studio} plan={plan} />}
      </div>
    </Section>
  );
}

/** Why the merge that was started last from here failed, in full. */
function LastFailure({ studio }: { readonly studio: Studio }) {
  useStore(studio.jobs);
  const job = followedMerge(studio);
  if (job?.state !== "failed" || !job.failure) return null;
  return (
    <Note tone="error" title="The last merge failed." code={job.failure.code}>
      {job.failure.message}
    </Note>
  );
}

/** What a control beside it says already: the method's form, a row of the extras, a box to tick. */
function isSaidElsewhere(finding: Finding): boolean {
  const { setting, severity } = finding;
  if (setting === "extra_tensors") return severity !== "error";
  return setting === "profile" || asksConsent(finding);
}

function Outlook({ studio, plan }: { readonly studio: Studio; readonly plan: MergePlan }) {
  const ignored = useStore(studio.recipe, (state) => state.ignored);
  const findings = [...ignored, ...plan.findings].filter((finding) => !isSaidElsewhere(finding));
  return (
    <>
      <div className="findings">
        <Findings severity="error" findings={findings} />
        <Consents studio={studio} findings={plan.findings} />
        <ExtrasTable studio={studio} extras={plan.extras} />
        {plan.vocabulary && <VocabularyTable plan={plan.vocabulary} />}
        <Findings severity="warning" findings={findings} />
      </div>
      <Facts rows={factsOf(plan)} />
      <div className="findings">
        <Findings severity="note" findings={findings} />
      </div>
    </>
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
