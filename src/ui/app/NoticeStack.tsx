import { ActionIcon } from "@mantine/core";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { Icon } from "../parts/Icon.tsx";
import { Note } from "../parts/Note.tsx";
import type { Notice } from "../stores/noticesStore.ts";
import type { Studio } from "../stores/studio.ts";

/** Milliseconds until a notice of success disappears. */
const NEWS_MS = 12_000;

/** Notices that belong to no place on a screen; failures stay until dismissed. */
export function NoticeStack({ studio }: { readonly studio: Studio }) {
  const notices = useStore(studio.notices, (state) => state.notices);
  return (
    <div className="notices" aria-live="polite">
      {notices.map((notice) => (
        <NoticeItem key={notice.id} studio={studio} notice={notice} />
      ))}
    </div>
  );
}

function NoticeItem({ studio, notice }: { readonly studio: Studio; readonly notice: Notice }) {
  const { id, tone, title, message, code } = notice;
  // Pointing at a notice or focusing it stops its timer.
  const [held, hold] = useState(false);
  useEffect(() => {
    if (tone === "bad" || held) return;
    const timer = setTimeout(() => studio.notices.dismiss(id), NEWS_MS);
    return () => clearTimeout(timer);
  }, [studio, id, tone, held]);
  return (
    <article
      className="notice"
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(false)}
      onFocus={() => hold(true)}
      onBlur={() => hold(false)}
    >
      <Note tone={tone === "bad" ? "error" : "note"} title={`${title}.`} code={code}>
        {message}
      </Note>
      <ActionIcon aria-label="Dismiss" onClick={() => studio.notices.dismiss(id)}>
        <Icon name="close" size={15} />
      </ActionIcon>
    </article>
  );
}
