/** ARIA roles of a text of tokens: a list whose items arrow keys move between. */
export const tokenRoles = {
  list: (label: string) => ({
    role: "listbox",
    tabIndex: -1,
    "aria-label": label,
    "aria-orientation": "horizontal" as const,
  }),
  token: (label: string, active: boolean) => ({
    role: "option",
    "aria-label": label,
    "aria-selected": active,
    tabIndex: active ? 0 : -1,
  }),
  /** A named group of the list's tokens. */
  group: (label: string) => ({ role: "group", "aria-label": label }),
  none: { role: "presentation" },
} as const;
