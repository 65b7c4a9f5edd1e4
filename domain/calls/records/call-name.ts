import { fail, type Star64Error } from '../../errors.js';
import { quoted } from '../../names.js';

/**
 * How a call is found that somebody names, by Asterisk's uniqueid of it or by its id: a condition on `calls c` with the
 * binding `asked`. Of two Asterisks with the same uniqueid an id says which.
 */
export function callNamed(name: string): { where: string; asked: string } {
  const byId = /^[0-9]{1,15}$/.test(name);
  // Half a surrogate pair or a NUL is no call's name, and nothing that PostgreSQL would take.
  const asked = byId || /^[A-Za-z0-9._-]{1,150}$/.test(name) ? name : '';
  return { where: byId ? 'c.id = :asked::bigint' : 'c.uniqueid = :asked', asked };
}

/** No call of the team has that name. */
export const unknownCall = (team: string, name: string): Star64Error =>
  fail('unknown_call', {
    noun: 'call',
    name,
    facts: { team },
    says: `call ${quoted(name)} is not recorded in team ${team}`,
    remedy: { text: '{0} shows those that are', steps: [{ noun: 'call', verb: 'list', team }] },
  });
