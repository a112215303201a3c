import { useMediaQuery } from "@mantine/hooks";
import { useEffect } from "react";
import { useStore } from "zustand";
import { fusionParts } from "../../../stores/fusionActions.ts";
import { preparePipeline } from "../../../stores/pipelineActions.ts";
import type { Studio } from "../../../stores/studio.ts";
import { SetupPanel } from "../SetupPanel.tsx";
import { MergesForm } from "./MergesForm.tsx";
import { PipelineView } from "./PipelineView.tsx";
import { PlanSection } from "./PlanSection.tsx";
import { TrainingForm } from "./TrainingForm.tsx";
import "./pipeline.css";

/** Panel of a FuseChat pipeline: its form at the left, its progress and report at the right. */
export function PipelinePanel({ studio }: { readonly studio: Studio }) {
  useStore(studio.fusion, (state) => state.draft);
  useStore(studio.library);
  // On narrow screens the form is above the result and would hide it.
  const narrow = useMediaQuery("(max-width: 720px)", undefined, { getInitialValueInEffect: false });
  const sources = fusionParts(studio).sources.length;
  useEffect(() => {
    if (sources >= 0) void preparePipeline(studio);
  }, [studio, sources]);
  const setup = (
    <SetupPanel studio={studio}>
      <TrainingForm studio={studio} />
      <PlanSection studio={studio} />
      <MergesForm studio={studio} />
    </SetupPanel>
  );
  return (
    <>
      {narrow ? (
        <details className="fold chat-setup">
          <summary>
            <b>What is put together</b>
          </summary>
          {setup}
        </details>
      ) : (
        setup
      )}
      <section className="fuse-middle" aria-label="FuseChat">
        <PipelineView studio={studio} />
      </section>
    </>
  );
}
