/** The channel on which the database itself tells that provisioning has changed (migration 0010). */
export const provisioningChannel = 'star64_provisioning';

/** The largest id that the column can hold. */
const largestId = 2 ** 31 - 1;

/** Rows of one table and one team have changed. */
export interface ProvisioningChange {
  table: string;
  teamId: number;
}

/** A notification of the database, such as `dids 7`; undefined for any other text: anything may have changed then. */
export function readChange(payload: string): ProvisioningChange | undefined {
  const [, table, id] = /^([a-z_]{1,63}) ([0-9]{1,10})$/.exec(payload) ?? [];
  if (table === undefined || Number(id) > largestId) return undefined;
  return { table, teamId: Number(id) };
}
