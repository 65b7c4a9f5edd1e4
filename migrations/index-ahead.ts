/**
 * An index on a table that may hold months: it is built while servers of the version before write there, so that the
 * transaction of all steps, in which nobody reads or writes what it has changed, takes no time that anybody notices.
 */
export interface IndexAhead {
  readonly name: string;
  /** Table, columns and condition, as `create index` has them. */
  readonly on: string;
  /** The step with which the table has these columns: without it the index is made in its turn. */
  readonly since: string;
  /** Table, and a column that may be null, which the step itself adds if it is not there: servers of before do not see it. */
  readonly column?: { readonly table: string; readonly adds: string };
}
