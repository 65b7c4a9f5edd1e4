import { AmiError } from './ami/errors.js';
import type { ManagerActions } from './ami/manager.js';

/** The generation of our files that Asterisk has loaded, as its manager says it; undefined: it has loaded none. */
export async function loadedGeneration(manager: ManagerActions): Promise<string | undefined> {
  try {
    const lines = await manager.list('ShowDialPlan', { Context: 'star64-generation' });
    return lines
      .map(({ headers }) => headers.get('extension') ?? '')
      .find((name) => /^g[0-9a-f]{16}$/.test(name));
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected' && /did not find/i.test(error.message))
      return undefined;
    throw error;
  }
}
