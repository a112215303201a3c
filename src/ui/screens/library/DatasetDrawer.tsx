import { Drawer } from "@mantine/core";
import { useStore } from "zustand";
import type { DatasetCard } from "../../../engine/contract/index.ts";
import { Facts } from "../../parts/Facts.tsx";
import { Note } from "../../parts/Note.tsx";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatCount, formatWhen } from "../../theme/format.ts";

const KINDS = { text: "texts", chat: "chats", mixed: "texts and chats" } as const;

/** Drawer of one dataset: its contents, and the entries that could not be read. */
export function DatasetDrawer({ studio }: { readonly studio: Studio }) {
  const id = useStore(studio.desk, (state) => state.openedDataset);
  const dataset = useStore(studio.library, ({ datasets }) =>
    datasets?.find((one) => one.id === id),
  );
  return (
    <Drawer
      opened={dataset !== undefined}
      onClose={() => studio.desk.setState({ openedDataset: null })}
      title={<span className="ellipsis drawer-title">{dataset?.name}</span>}
      closeButtonProps={{ "aria-label": "Close" }}
      position="right"
      size="min(560px, 100vw)"
    >
      {dataset && <OpenedDataset dataset={dataset} />}
    </Drawer>
  );
}

function OpenedDataset({ dataset }: { readonly dataset: DatasetCard }) {
  const { kind, rows, byteLength, createdAt, problems, problemCount } = dataset;
  return (
    <>
      <Facts
        rows={[
          ["Holds", KINDS[kind]],
          ["Rows", formatCount(rows)],
          ["Size", formatBytes(byteLength)],
          ["Added", formatWhen(createdAt, Date.now())],
        ]}
      />
      <h3 className="section-title dataset-heading">Not read</h3>
      {problemCount === 0 ? (
        <p className="muted">Everything in it could be read.</p>
      ) : (
        <>
          <ul className="dataset-list">
            {problems.map((problem, at) => (
              <li key={`${at} ${problem}`}>
                <Note tone="warning">{problem}</Note>
              </li>
            ))}
          </ul>
          {problemCount > problems.length && (
            <p className="small muted num">
              And {formatCount(problemCount - problems.length)} more like these.
            </p>
          )}
        </>
      )}
    </>
  );
}
