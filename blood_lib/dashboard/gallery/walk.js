// Where the arrow keys lead from card to card, through all groups.

/** The id that a key leads to from the card `id`; the same id at either end, undefined for other keys. */
export function walk(sections, key, id) {
  const s = sections.findIndex(({ grid }) => grid.place(id) !== undefined);
  const { grid } = sections[s];
  const items = grid.items();
  const at = grid.place(id);
  const before = sections[s - 1]?.grid;
  const after = sections[s + 1]?.grid;
  const steps = {
    ArrowRight: () => items[at + 1] ?? after?.items()[0],
    ArrowLeft: () => items[at - 1] ?? before?.items().at(-1),
    ArrowDown: () => below(grid, at) ?? after?.items()[Math.min(at % grid.columns(), after.items().length - 1)],
    ArrowUp: () => items[at - grid.columns()] ?? (before && above(before, at % grid.columns())),
    Home: () => items[0],
    End: () => items.at(-1),
  };
  return steps[key] && (steps[key]()?.id ?? id);
}

/** One row down, or the last card where the last row is shorter; undefined in the last row. */
function below(grid, at) {
  const items = grid.items();
  const row = (i) => Math.floor(i / grid.columns());
  return items[at + grid.columns()] ?? (row(at) < row(items.length - 1) ? items.at(-1) : undefined);
}

/** The card of this column in a grid's last row. */
function above(grid, column) {
  const items = grid.items();
  const first = Math.floor((items.length - 1) / grid.columns()) * grid.columns();
  return items[Math.min(first + column, items.length - 1)];
}
