import { ActionIcon } from "@mantine/core";
import { useStore } from "zustand";
import { Icon } from "../parts/Icon.tsx";
import { Note } from "../parts/Note.tsx";
import type { Studio } from "../stores/studio.ts";

/** What has to be told and belongs to no place; it stays until it is dismissed. */
export function NoticeStack({ studio }: { readonly studio: Studio }) {
  const notices = useStore(studio.notices, (state) => state.notices);
  return (
    <div className="notices" aria-live="polite">
      {notices.map(({ id, tone, title, message, code }) => (
        <div key={id} className="notice">
          <Note tone={tone === "bad" ? "error" : "note"} title={`${title}.`} code={code}>
            {message}
          </Note>
          <ActionIcon aria-label="Dismiss" onClick={() => studio.notices.dismiss(id)}>
            <Icon name="close" size={15} />
          </ActionIcon>
        </div>
      ))}
    </div>
  );
}
