// The order of the cards in a group.

/**
 * Compares two items. While more cells arrive, each batch stands behind the ones before it. Within a batch the most
 * doubtful cells come first. `statuses`: the surest first, as Python has them.
 */
export function createOrder(statuses) {
  const doubt = new Map(statuses.map((name, i) => [name, i]));
  return (a, b) => a.batch - b.batch || doubt.get(b.status) - doubt.get(a.status) || a.confidence - b.confidence || a.id - b.id;
}
