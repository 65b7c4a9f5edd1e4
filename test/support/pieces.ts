/**
 * From which number to which rows are to be written in one transaction: one that goes on for long holds back the events of
 * every database of the cluster, those of other tests too.
 */
export function* pieces(rows: number, atOnce = 2000): Generator<{ from: number; to: number }> {
  for (let from = 1; from <= rows; from += atOnce) yield { from, to: Math.min(rows, from + atOnce - 1) };
}
