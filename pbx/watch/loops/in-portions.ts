/** So many phones at a time: a whole group at once must not keep those who dial from PostgreSQL and Asterisk. */
const atOnce = 4;

/** Does something for each item, a few at a time, and returns what came of each in the order of the items. */
export async function inPortions<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    results.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  }
  return results;
}
