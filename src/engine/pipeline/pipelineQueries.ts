import type { LibraryReader } from "../checkpoint/library/library.ts";
import { type Engine, EngineError, type JobId, type PipelineRequest } from "../contract/index.ts";
import type { RecordStore } from "../fuse/dataset/recordStore.ts";
import { defaultMerges } from "./merges.ts";
import { readReport } from "./pipelineJob.ts";
import { formatReport } from "./report.ts";
import { readStages } from "./stages.ts";
import { planStages } from "./steps.ts";

/** The engine's queries about pipelines. */
export function createPipelineQueries(parts: {
  readonly records: RecordStore;
  readonly library: Pick<LibraryReader, "list">;
  /** Request of a `fusechat` job; null where there is no such job. */
  requestOf(job: JobId): Promise<PipelineRequest | null>;
}): Pick<Engine, "pipelineMerges" | "pipelineRun" | "pipelineReportText"> {
  const { records, library, requestOf } = parts;
  return {
    pipelineMerges: async (targets) => defaultMerges(targets),
    async pipelineReportText(job) {
      const report = await readReport(records, job);
      if (report) return formatReport(report);
      throw new EngineError("usage", "This pipeline has no report yet.", { job });
    },
    async pipelineRun(job) {
      const request = await requestOf(job);
      if (!request) {
        throw new EngineError("usage", "There is no such pipeline; it may be deleted.", { job });
      }
      const [notes, report, cards] = await Promise.all([
        readStages(records, job),
        readReport(records, job),
        library.list(),
      ]);
      const sources = request.sources.map(
        (id) => cards.find((card) => card.id === id)?.name ?? "a deleted model",
      );
      const stages = planStages(request, sources).map((stage) => {
        const none = { state: "waiting", model: null, fusion: null, training: null } as const;
        return { ...none, ...notes.get(stage.key), ...stage };
      });
      return { stages, report };
    },
  };
}
