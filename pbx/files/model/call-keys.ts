import type { Queryable } from '../../../domain/database/pool.js';
import type { CallKeyRow } from './team-rows.js';

/** The keys that do something, of every team of a node. */
export function readCallKeys(trx: Queryable, node: string): Promise<(CallKeyRow & { team: string })[]> {
  return trx('call_keys as k')
    .join('teams as t', 't.id', 'k.team_id')
    .where({ 't.node': node, 'k.enabled': true })
    .orderBy('k.action')
    .select<(CallKeyRow & { team: string })[]>('t.identity as team', 'k.action', 'k.keys');
}

/**
 * Actions of our own, in their order in features.conf, with the keys that stand there; what a key does on a phone that is
 * called, and on one that calls. The other actions are Asterisk's own, whose keys a channel is told without any file.
 */
const ownActions = [
  { action: 'hold', usual: '*7', called: 'star64-hold', calling: 'star64-hold' },
  { action: 'record', usual: '*8', called: 'star64-record', calling: 'star64-record-peer' },
  { action: 'drop', usual: '*9', called: 'star64-drop', calling: 'star64-drop' },
  { action: 'end', usual: '*0', called: 'star64-end', calling: 'star64-end' },
] as const;

/** What a team's phones key for the actions of our own. */
const ownKeys = (rows: readonly CallKeyRow[]) =>
  ownActions.flatMap(({ usual, ...one }) => {
    const row = rows.find(({ action }) => action === one.action);
    return row ? [{ called: one.called, calling: one.calling, usual, keys: row.keys }] : [];
  });

/**
 * Names of the groups of features.conf that a team's phones have (DYNAMIC_FEATURES), one that is called and one that calls:
 * those of all teams, or of its own where it has changed a key, or none. `hold` is what star64-hold is told.
 */
export function inCallModel(team: string, rows: readonly CallKeyRow[]) {
  const keys = ownKeys(rows);
  const usual = keys.length === ownActions.length && keys.every((one) => one.keys === one.usual);
  const group = usual ? 'star64' : team;
  return {
    called: keys.length === 0 ? '' : `${group}-called`,
    calling: keys.length === 0 ? '' : `${group}-calling`,
    hold: rows.find(({ action }) => action === 'hold')?.keys ?? '',
  };
}

/** The keys of the teams that have others than those of all teams: what features.conf says of them. */
export const keySets = (teams: readonly { identity: string; callKeys: readonly CallKeyRow[] }[]) =>
  teams
    .filter(({ identity, callKeys }) => inCallModel(identity, callKeys).called === `${identity}-called`)
    .map(({ identity, callKeys }) => ({
      team: identity,
      keys: ownKeys(callKeys).map(({ called, calling, keys }) => ({ called, calling, keys })),
    }));
