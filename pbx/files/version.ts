import { fail } from '../../domain/errors.js';
import type { Console } from './console.js';

/**
 * What in the files depends on the version of Asterisk. Where app_queue has moved something (the arguments of Queue() since
 * 21), they use what stands in the same place in all of them: membergosub and defaultrule of queues.conf, QUEUE_PRIO.
 */

const parts = (version: string): number[] => version.split('.').map(Number);

/** Whether `auth_type=digest` and `password_digest` are known: since 20.12, 21.7 and 22.2. A branch without more is its newest. */
export function knowsDigest(version: string | undefined): boolean {
  if (version === undefined) return true;
  const [branch = 0, minor = Infinity] = parts(version);
  const since: Readonly<Record<number, number>> = { 20: 12, 21: 7, 22: 2 };
  const from = since[branch];
  return branch > 22 || (from !== undefined && minor >= from);
}

/**
 * Refuses files for another Asterisk than the one that is to read them. `said`: as much of its version as matters.
 * `digests`: the files have passwords as only newer ones know them, which nobody chose if nothing was said.
 */
export async function refuseOtherVersion(
  console: Console,
  said: string | undefined,
  digests: boolean,
): Promise<void> {
  if (said === undefined && !digests) return;
  const text = await console('core show version');
  const found = /\bAsterisk (?:certified\/|certified-)?([0-9]+(?:\.[0-9]+)*)/.exec(text)?.[1];
  // Built from a branch it has no number, and is whatever its operator says.
  if (found === undefined) return;
  const isOther = said !== undefined && !`${found}.`.startsWith(`${said}.`);
  if (!isOther && (!digests || knowsDigest(found))) return;
  const says = isOther
    ? `asterisk.version says ${said}`
    : `asterisk.version says ${said === undefined ? 'nothing' : `no more than ${said}`}, and with passwords as newer ones read them no phone could register here`;
  const [branch = '', minor = ''] = found.split('.');
  // As much of it as matters: of a branch that learned it on its way, the minor version, too.
  const enough = knowsDigest(branch) === knowsDigest(found) ? branch : `${branch}.${minor}`;
  throw fail('other_version', {
    facts: { said, found },
    says: `this Asterisk is ${found}, and ${says}. Nothing has been changed`,
    remedy: { text: `set asterisk.version (STAR64_ASTERISK_VERSION) to "${enough}"` },
  });
}
