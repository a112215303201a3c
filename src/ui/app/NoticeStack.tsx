import { ActionIcon } from "@mantine/core";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { Icon } from "../parts/Icon.tsx";
import { Note } from "../parts/Note.tsx";
import type { Notice } from "../stores/noticesStore.ts";
import type { Studio } from "../stores/studio.ts";

/** How long good news stays; nothing is lost with it. */
const NEWS_MS = 12_000;

/** What has to be told and belongs to no place; a failure stays until it is dismissed. */
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
  // Whoever points at it or has the focus in it is still reading.
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
