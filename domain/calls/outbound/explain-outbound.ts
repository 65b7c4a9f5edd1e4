import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { checkName } from '../../names.js';
import { EmergencyMemory } from './emergency-numbers.js';
import type { OutboundDecision } from './outbound.js';
import { Outbound } from './outbound-memory.js';
import { Routing } from '../routing/routing.js';
import { noTurns } from './ways-out.js';

/** What becomes of a number that an extension dials, and why. */
export interface ExplainedOutbound {
  /** In its one form; null: it cannot be a number. */
  number: string | null;
  team: string;
  extension: string;
  class: string | null;
  /** Why it is not called; null: it is. */
  refused: string | null;
  /** What to type so that it is called. */
  opens: string | null;
  userGroup: string | null;
  callerId: string | null;
  record: boolean;
  /** In the order in which they are tried, each with the number as it is sent. */
  trunks: { trunk: string; endpoint: string; sent: string }[];
  /** What decides, in words, one after the other. */
  steps: string[];
}

/**
 * What becomes of a number that an extension of the team dials behind its outside prefix, by the function that a call itself
 * is decided by. Undefined: the team has no such extension.
 */
export function explainOutbound(
  db: Queryable,
  team: string,
  { number: typed, from, at }: { number: string; from: string; at?: string | undefined },
): Promise<ExplainedOutbound | undefined> {
  return withDatabaseErrors(async () => {
    const row = await db('extensions as x')
      .join('teams as t', 't.id', 'x.team_id')
      .where({ 't.identity': team, 'x.number': from, 'x.kind': 'sip' })
      .whereNull('x.removed_at')
      .first<{ id: number; node: string; timeZone: string; endpoint: string | null } | undefined>(
        't.id',
        't.node',
        't.time_zone as timeZone',
        'x.endpoint',
      );
    if (!row) return undefined;
    const { id, node, timeZone, endpoint } = row;
    const routing = new Routing(db, node);
    await routing.load([id]);
    const emergencies = new EmergencyMemory(db, node);
    await emergencies.load([id]);
    const outbound = new Outbound(db, node, routing, { emergencies });
    await outbound.load([id]);
    const steps: string[] = [];
    const decided = await outbound.decide(
      team,
      {
        dialled: checkName('telephone', typed),
        endpoint: endpoint ?? `${team}-${from}`,
        hidden: false,
        instant:
          at === undefined ? Date.now() : (await import('../routing/hours.js')).instantAt(at, timeZone),
      },
      { tell: (step) => void steps.push(step), turns: noTurns },
    );
    return decided && explained(team, from, decided.decision, steps);
  });
}

function explained(
  team: string,
  extension: string,
  decision: OutboundDecision,
  steps: string[],
): ExplainedOutbound {
  const { number, class: numberClass, userGroup } = decision;
  const about = { number, team, extension, class: numberClass, userGroup };
  if (!decision.go) {
    const { refused, opens } = decision;
    const words = `the call is refused (${refused})${opens === null ? '' : `; ${opens} lets it out`}`;
    return {
      ...about,
      refused,
      opens,
      callerId: null,
      record: false,
      trunks: [],
      steps: [...steps, words],
    };
  }
  const { callerId, record } = decision;
  const trunks = decision.steps.map(({ trunk: { name, endpoint }, sent }) => ({
    trunk: name,
    endpoint,
    sent,
  }));
  // What was called today is known to the servers.
  const words =
    numberClass === 'emergency'
      ? 'an emergency call goes out before every right and limit'
      : 'limits are not looked at here: `star64 status` shows those that are reached';
  return { ...about, refused: null, opens: null, callerId, record, trunks, steps: [...steps, words] };
}
