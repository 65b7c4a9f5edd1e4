import { prepared, type Queryable } from '../domain/database/pool.js';
import { readEmergencies } from '../domain/emergency-defaults.js';
import { AmiError } from './ami/errors.js';
import type { ManagerActions } from './ami/manager.js';
import type { AmiMessage } from './ami/message.js';

/** The lines of a context that Asterisk has loaded; of one that it does not have, none. @throws AmiError. */
async function linesOf(manager: ManagerActions, Context: string): Promise<AmiMessage['headers'][]> {
  try {
    return (await manager.list('ShowDialPlan', { Context })).map(({ headers }) => headers);
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected' && /did not find/i.test(error.message))
      return [];
    throw error;
  }
}

const extensionsOf = async (manager: ManagerActions, context: string): Promise<string[]> =>
  (await linesOf(manager, context)).map((headers) => headers.get('extension') ?? '');

/** Whether a line of a context that Asterisk has loaded has this text in what it gives to its application. @throws AmiError. */
export const isInDialplan = async (
  manager: ManagerActions,
  context: string,
  text: string,
): Promise<boolean> =>
  (await linesOf(manager, context)).some((headers) => (headers.get('appdata') ?? '').includes(text));

/** The generation of our files that Asterisk has loaded, as its manager says it; undefined: it has loaded none. */
export async function loadedGeneration(manager: ManagerActions): Promise<string | undefined> {
  const names = await extensionsOf(manager, 'star64-generation');
  return names.find((name) => /^g[0-9a-f]{16}$/.test(name));
}

/**
 * Emergency numbers that a team has in the database, and Asterisk not in its dialplan: nobody has applied them yet. Of a team
 * at another node none, since this Asterisk is not its own.
 */
export async function emergencyNotLoaded(
  manager: ManagerActions,
  db: Queryable,
  { team, node }: { team: string; node: string },
): Promise<string[]> {
  const [found] = await prepared<{ emergency: string | null }>(
    db,
    'select emergency from teams where identity = ? and node = ?',
    [team, node],
  );
  const numbers = readEmergencies(found?.emergency ?? null);
  if (numbers.length === 0) return [];
  const loaded = new Set(await extensionsOf(manager, `${team}-emergency`));
  return numbers.filter((number) => !loaded.has(number));
}
