import { Drawer, Tabs } from "@mantine/core";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { type Failure, type ModelDetail, toFailure } from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import type { Studio } from "../../stores/studio.ts";
import {
  formatArchitecture,
  formatBytes,
  formatCount,
  formatQuantity,
} from "../../theme/format.ts";
import { FileTexts } from "./FileTexts.tsx";
import { TensorTable } from "./TensorTable.tsx";

/** Drawer of one checkpoint: its tensors, files and notes. */
export function ModelDrawer({ studio }: { readonly studio: Studio }) {
  const id = useStore(studio.desk, (state) => state.opened);
  const models = useStore(studio.library, (state) => state.models);
  const name = models?.find((model) => model.id === id)?.name ?? "";
  return (
    <Drawer
      opened={id !== null}
      onClose={() => studio.desk.setState({ opened: null })}
      title={<span className="ellipsis drawer-title">{name}</span>}
      closeButtonProps={{ "aria-label": "Close" }}
      position="right"
      size="min(760px, 100vw)"
    >
      {id !== null && <OpenedModel key={id} studio={studio} id={id} />}
    </Drawer>
  );
}

function OpenedModel({ studio, id }: { readonly studio: Studio; readonly id: string }) {
  const [detail, setDetail] = useState<ModelDetail | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    let current = true;
    studio.engine.openModel(id).then(
      (opened) => current && setDetail(opened),
      (error: unknown) => current && setFailure(toFailure(error)),
    );
    return () => {
      current = false;
    };
  }, [studio, id]);
  if (failure) {
    return (
      <Note tone="error" title="Cannot be opened." code={failure.code} role="alert">
        {failure.message}
      </Note>
    );
  }
  if (!detail) return <p className="muted">Reading the headers…</p>;
  const { card, tensors, files, notes } = detail;
  const facts = [
    formatArchitecture(card.architecture),
    `${formatQuantity(card.parameters)} parameters`,
    card.layers === null ? "" : `${card.layers} layers`,
    card.vocabSize === null ? "" : `${formatCount(card.vocabSize)} tokens`,
    formatBytes(card.byteLength),
    card.hasTokenizer ? "" : "no tokenizer",
  ];
  return (
    <>
      <p className="muted num drawer-facts">{facts.filter(Boolean).join(" · ")}</p>
      {notes.map((note) => (
        <Note key={note} tone="note">
          {note}
        </Note>
      ))}
      <Tabs defaultValue="tensors" keepMounted={false} className="drawer-tabs">
        <Tabs.List>
          <Tabs.Tab value="tensors">Tensors · {formatCount(tensors.length)}</Tabs.Tab>
          <Tabs.Tab value="files">Files · {formatCount(files.length)}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="tensors">
          <TensorTable tensors={tensors} />
        </Tabs.Panel>
        <Tabs.Panel value="files">
          <FileTexts studio={studio} model={id} files={files} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
