import { Button, Tabs } from "@mantine/core";
import { useEffect } from "react";
import { useStore } from "zustand";
import { Empty } from "../../parts/Empty.tsx";
import { Note } from "../../parts/Note.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import { shownFusion } from "../../stores/fusionActions.ts";
import { describeModels } from "../../stores/playgroundActions.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatCount } from "../../theme/format.ts";
import { DocumentsPanel } from "./DocumentsPanel.tsx";
import { FuseBar } from "./FuseBar.tsx";
import { PipelineBar } from "./pipeline/PipelineBar.tsx";
import { PipelinePanel } from "./pipeline/PipelinePanel.tsx";
import { SetupPanel } from "./SetupPanel.tsx";
import { TotalsPanel } from "./TotalsPanel.tsx";
import "./fuse.css";

const TABS = ["setup", "documents", "pipeline"] as const;

/** Fuse screen: what can the pivot learn from the others? */
export function FuseScreen({ studio }: { readonly studio: Studio }) {
  const { models, fusions } = useStore(studio.library);
  const gpu = useStore(studio.environment, (state) => state.environment?.gpu);
  const tab = useStore(studio.fusion, (state) => state.tab);
  const shown = useStore(studio.fusion, (state) => state.shown);
  useEffect(() => {
    // The budget decides which models can be run.
    if (models && gpu) void describeModels(studio);
  }, [studio, models, gpu]);
  if (models === null || fusions === null) return <div className="fuse" aria-busy="true" />;
  const card = shownFusion(fusions, shown);
  const empty = models.length === 0 && !card;
  return (
    <Tabs
      className="fuse"
      value={card || tab === "pipeline" ? tab : "setup"}
      keepMounted={false}
      onChange={(next) =>
        studio.fusion.setState({ tab: TABS.find((each) => each === next) ?? "setup" })
      }
    >
      <Tabs.List className="screen-tabs" aria-label="Parts of a fusion">
        <Tabs.Tab value="setup">Fusion</Tabs.Tab>
        <Tabs.Tab value="documents" disabled={!card}>
          Documents
          {card && <span className="faint num"> {formatCount(card.documents)}</span>}
        </Tabs.Tab>
        <Tabs.Tab value="pipeline">FuseChat</Tabs.Tab>
      </Tabs.List>
      {gpu && !gpu.available && (
        <Note tone="warning" title="No GPU to run models on." code={gpu.failure.code}>
          {gpu.failure.message} Fused datasets can be looked at all the same.
        </Note>
      )}
      <Tabs.Panel value="setup" className="fuse-panel">
        {empty ? (
          <NoModels studio={studio} />
        ) : (
          <>
            <SetupPanel studio={studio} />
            <TotalsPanel studio={studio} card={card} />
          </>
        )}
      </Tabs.Panel>
      <Tabs.Panel value="documents" className="fuse-panel">
        {card && <DocumentsPanel key={card.id} studio={studio} card={card} />}
      </Tabs.Panel>
      <Tabs.Panel value="pipeline" className="fuse-panel">
        <PipelinePanel studio={studio} />
      </Tabs.Panel>
      {tab === "pipeline" && <PipelineBar studio={studio} />}
      {tab !== "pipeline" && !empty && <FuseBar studio={studio} />}
    </Tabs>
  );
}

function NoModels({ studio }: { readonly studio: Studio }) {
  const blocked = useStore(studio.jobs, () => COMMANDS.tryFusion.blocked(studio));
  return (
    <div className="fuse-empty fuse-whole">
      <Empty title="No models yet">
        <p>
          Here a pivot learns from models of other architectures and tokenizers: all read the same
          text, and what the others foresee better is put into the pivot’s own tokens.
        </p>
        <Button
          variant="filled"
          disabled={blocked !== null}
          onClick={() => COMMANDS.tryFusion.run(studio)}
        >
          {COMMANDS.tryFusion.label}
        </Button>
        <Button onClick={() => COMMANDS.addFolder.run()}>{COMMANDS.addFolder.label}</Button>
        <p className="small muted" role="status">
          {blocked}
        </p>
      </Empty>
    </div>
  );
}

/** Subject in the header: the pivot and its sources. */
export function FuseSubject({ studio }: { readonly studio: Studio }) {
  const shown = useStore(studio.fusion, (state) => state.shown);
  const fused = useStore(studio.library, ({ fusions }) => shownFusion(fusions ?? [], shown));
  if (!fused) return null;
  const [pivot, ...sources] = fused.members.map((member) => member.model);
  return (
    <span className="chip header-wide header-subject">
      <span className="ellipsis" title={fused.name}>
        {pivot} ← {sources.join(", ")}
      </span>
    </span>
  );
}
