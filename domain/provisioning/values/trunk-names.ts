import { fail, type Star64Error } from '../../errors.js';
import { quoted } from '../../names.js';

/** A trunk with its place: a team's own, or one for all. */
export const trunkNamed = (team: string | null, name: string): string =>
  `trunk ${name} ${team === null ? 'for every team' : `of team ${team}`}`;

/** What a generated trunk is called in Asterisk. */
export const trunkEndpoint = (team: string | null, name: string): string =>
  `${team ?? 'star64'}-trunk-${name}`;

/** The error for a trunk that there is not: the list of any team has those for every team. */
export const unknownTrunk = (team: string | null, name: string): Star64Error =>
  fail('unknown', {
    noun: 'trunk',
    name,
    facts: { team },
    says: `${trunkNamed(team, quoted(name))} does not exist`,
    remedy: {
      text: '{0} shows those that do',
      steps: [{ noun: 'trunk', verb: 'list', team: team ?? 'astercc' }],
    },
  });
