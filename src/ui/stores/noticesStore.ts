import { createStore } from "zustand/vanilla";
import type { Failure } from "../../engine/contract/index.ts";

/** A notice that belongs to no place on a screen. */
export interface Notice {
  readonly id: number;
  readonly tone: "note" | "bad";
  /** Action that it is about. */
  readonly title: string;
  readonly message: string;
  readonly code: Failure["code"] | null;
}

/** Store of the notices that are not dismissed, oldest first. */
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
