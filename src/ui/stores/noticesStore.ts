import { createStore } from "zustand/vanilla";
import type { Failure } from "../../engine/contract/index.ts";

/** Something to tell that belongs to no place on the screen. */
export interface Notice {
  readonly id: number;
  readonly tone: "note" | "bad";
  /** What was tried. */
  readonly title: string;
  readonly message: string;
  readonly code: Failure["code"] | null;
}

/** Notices that nobody has dismissed yet, oldest first. */
export function createNoticesStore() {
  const store = createStore<{ readonly notices: readonly Notice[] }>(() => ({ notices: [] }));
  let next = 1;
  const add = (notice: Omit<Notice, "id">) => {
    const id = next++;
    store.setState(({ notices }) => ({ notices: [...notices.slice(-3), { ...notice, id }] }));
    return id;
  };
  return {
    ...store,
    tell: (title: string, message: string) => add({ tone: "note", title, message, code: null }),
    fail: (title: string, { code, message }: Failure) => add({ tone: "bad", title, message, code }),
    dismiss(id: number) {
      store.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }));
    },
  };
}
export type NoticesStore = ReturnType<typeof createNoticesStore>;
