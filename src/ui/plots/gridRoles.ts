/**
 * ARIA roles of a grid made of plain elements, since table elements lose their semantics in a CSS
 * grid. Rows and columns count from 1, headings included.
 */
export const gridRoles = {
  grid: (label: string, rows: number, columns: number) => ({
    role: "grid",
    tabIndex: -1,
    "aria-label": label,
    "aria-rowcount": rows,
    "aria-colcount": columns,
  }),
  row: (index: number) => ({ role: "row", "aria-rowindex": index }),
  rowHeader: { role: "rowheader", "aria-colindex": 1 },
  columnHeader: (index: number) => ({ role: "columnheader", "aria-colindex": index }),
  cell: (label: string, column: number, span: number, selected: boolean) => ({
    role: "gridcell",
    "aria-label": label,
    "aria-colindex": column,
    "aria-colspan": span,
    "aria-selected": selected,
  }),
};
