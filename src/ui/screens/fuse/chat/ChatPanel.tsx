import { useEffect } from "react";
import { useStore } from "zustand";
import { fusionParts } from "../../../stores/fusing.ts";
import { preparePipeline } from "../../../stores/pipelining.ts";
import type { Studio } from "../../../stores/studio.ts";
import { SetupPanel } from "../SetupPanel.tsx";
import { PipelineView } from "./PipelineView.tsx";
import { MergesForm, TrainingForm } from "./TrainingForm.tsx";
import "./chat.css";

/** FuseChat from end to end: what is put together at the left, what comes of it at the right. */
export function ChatPanel({ studio }: { readonly studio: Studio }) {
  useStore(studio.fusion, (state) => state.draft);
  useStore(studio.library);
  const sources = fusionParts(studio).sources.length;
  useEffect(() => {
    if (sources >= 0) void preparePipeline(studio);
  }, [studio, sources]);
  return (
    <>
      <SetupPanel studio={studio}>
        <TrainingForm studio={studio} />
        <MergesForm studio={studio} />
      </SetupPanel>
      <section className="fuse-middle" aria-label="FuseChat">
        <PipelineView studio={studio} />
      </section>
    </>
  );
}
