/** ARIA for text made of tokens: a list whose entries arrow keys walk through. */
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
  /** Some of the list's tokens under a name of their own. */
  group: (label: string) => ({ role: "group", "aria-label": label }),
  none: { role: "presentation" },
} as const;
