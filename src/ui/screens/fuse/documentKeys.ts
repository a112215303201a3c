/** ARIA roles of a virtualised list. */
export const listRoles = {
  list: (label: string) => ({ role: "listbox", tabIndex: -1, "aria-label": label }),
  option: (index: number, count: number, selected: boolean, active: boolean) => ({
    role: "option",
    "aria-posinset": index + 1,
    "aria-setsize": count,
    "aria-selected": selected,
    tabIndex: active ? 0 : -1,
  }),
  none: { role: "presentation" },
} as const;

/** Entry that a key moves to; null for other keys. `page`: number of visible entries. */
export function moveInList(key: string, at: number, count: number, page: number): number | null {
  const aim = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    PageUp: at - page,
    PageDown: at + page,
    Home: 0,
    End: count - 1,
  }[key];
  return aim === undefined ? null : Math.min(count - 1, Math.max(0, aim));
}
