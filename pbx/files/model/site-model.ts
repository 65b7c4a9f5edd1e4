import { hash } from 'node:crypto';
import { Star64Error } from '../../../domain/errors.js';
import { bare } from '../../../domain/telephone-numbers.js';
import { queueOf } from '../../queue/names.js';
import { keySets } from './call-keys.js';
import { restsOf, type PrefixRow } from './did-rows.js';
import { callerSeconds, type GenerateSettings } from './model.js';
import type { NodeRows } from './rows.js';
import type { TeamRows } from './team-rows.js';
import { trunkModel } from '../outside/trunks.js';

export type SiteModel = ReturnType<typeof siteModel>;

/** What the templates of the files that all teams share are given, but for their DIDs. */
export function siteModel({ teams, trunks }: Pick<NodeRows, 'teams' | 'trunks'>, settings: GenerateSettings) {
  return {
    directory: settings.directory,
    token: settings.token,
    passwordDigest: settings.passwordDigest,
    servers: servers(settings.servers),
    nobodyAnswers: settings.nobodyAnswers,
    teams: teams.map(({ identity }) => identity),
    trunks: trunks.map((trunk) => trunkModel('star64', settings.passwordDigest, trunk)),
    callerSeconds,
    keySets: keySets(teams),
    overflows: teams.flatMap(({ identity, groups }) =>
      groups.flatMap(({ name, overflowSeconds }) =>
        overflowSeconds === null ? [] : [{ queue: queueOf(identity, name), seconds: overflowSeconds }],
      ),
    ),
    prefixes: prefixContexts(teams),
  };
}

/** Below the 512 contexts that Asterisk visits for one number, and a thousand lines each for 100,000 DIDs in 4 forms. */
const bucketCount = 400;

export interface BucketModel {
  name: string;
  dids: { team: string; number: string; forms: readonly string[] }[];
}

/**
 * The DIDs of all teams, spread evenly over contexts: see star64-inbound.conf.hbs. By a hash of the number and not by its
 * digits: numbers are handed out in blocks, whose last digits are alike. One after the other, so that the forms of all
 * numbers are never held at once.
 */
export function* bucketModels({
  teams,
  formsOf,
}: Pick<NodeRows, 'teams' | 'formsOf'>): Generator<BucketModel> {
  const buckets = Array.from({ length: bucketCount }, () => [] as { team: TeamRows; number: string }[]);
  for (const team of teams) {
    for (const { number } of team.dids)
      buckets[hash('md5', number, 'buffer').readUInt32BE(0) % bucketCount]?.push({ team, number });
  }
  for (const [index, dids] of buckets.entries()) {
    if (dids.length === 0) continue;
    yield {
      name: String(index).padStart(3, '0'),
      dids: dids.map(({ team, number }) => ({
        team: team.identity,
        number,
        forms: formsOf(team, number).forAll,
      })),
    };
  }
}

/** With the buckets below the contexts that Asterisk visits for one number. */
const prefixContextCount = 50;

/**
 * What is all numbers that begin alike, of all teams, longest beginnings first: a context that is included earlier has
 * its say first, and within one Asterisk itself takes the longest.
 */
function prefixContexts(teams: readonly TeamRows[]) {
  const all = teams
    .flatMap(({ identity, prefixes }) => prefixes.map((prefix) => ({ team: identity, ...prefix })))
    .sort((a, b) => bare(b.number).length - bare(a.number).length || (a.number < b.number ? -1 : 1));
  const size = Math.ceil(all.length / prefixContextCount);
  return Array.from({ length: size === 0 ? 0 : Math.ceil(all.length / size) }, (_, index) => ({
    name: String(index).padStart(3, '0'),
    prefixes: all.slice(index * size, (index + 1) * size).map(prefixForAll),
  }));
}

const prefixForAll = ({ team, number, forAll }: PrefixRow & { team: string }) => ({
  team,
  number,
  rests: restsOf(number),
  forms: forAll.map((form) => ({ form, length: String(form.length) })),
});

function servers(addresses: readonly string[]) {
  if (addresses.length === 0) {
    throw new Star64Error('usage', 'No server for Asterisk to ask: set agi.servers to a list of host:port.');
  }
  return addresses.map((address, index) => ({
    address,
    number: index + 1,
    next: index + 1 < addresses.length ? `server${index + 2}` : 'answered',
  }));
}
