import { setTimeout as sleep } from 'node:timers/promises';
import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { fail } from '../errors.js';
import type { PhoneName } from './phone.js';

/** The addresses from which phones have registered, by extension. */
export type RegisteredAt = Readonly<Record<string, readonly string[]>>;

/** How long a question waits for a server, and how often the answer is looked for. */
export const phoneQuestionTimes = { seconds: 5, lookMs: 50 };

/**
 * From where the phones of an agent's user have registered, as Asterisk knows it at this moment: the server that leads the node
 * is asked. Extensions that are not registered are left out.
 *
 * @throws Star64Error `no_server` when none has answered within 5 s.
 */
export async function askPhoneAddresses(
  db: Queryable,
  team: string,
  agent: string,
  times = phoneQuestionTimes,
): Promise<RegisteredAt> {
  const [asked] = await withDatabaseErrors(() =>
    prepared<{ id: number; node: string }>(
      db,
      `insert into phone_questions (team_id, agent_id, node, expires_at)
       select t.id, a.id, t.node, clock_timestamp() + make_interval(secs => :seconds::double precision)
       from agents a join teams t on t.id = a.team_id
       where t.identity = :team and a.number = :agent and a.removed_at is null returning id, node`,
      { team, agent, seconds: times.seconds },
    ),
  );
  if (!asked) throw new Error(`agent ${agent} of team ${team} has gone`);
  try {
    for (;;) {
      const [row] = await withDatabaseErrors(() =>
        prepared<{ phones: RegisteredAt | null; due: boolean }>(
          db,
          'select phones, expires_at < clock_timestamp() as due from phone_questions where id = ?',
          [asked.id],
        ),
      );
      if (row?.phones) return row.phones;
      if (!row || row.due) break;
      await sleep(times.lookMs);
    }
  } finally {
    await withDatabaseErrors(() => prepared(db, 'delete from phone_questions where id = ?', [asked.id]));
  }
  throw fail('no_server', {
    noun: 'agent',
    name: agent,
    facts: { team, node: asked.node },
    says: `no server of node ${asked.node} has said within ${times.seconds} seconds from where the phones of agent ${agent} have registered`,
    remedy: { text: 'have `star64 serve` run for that node, or name an extension' },
  });
}

/** A question that nobody has answered yet. */
export interface PhoneQuestion {
  id: number;
  /** The phones of the agent's user. */
  phones: PhoneName[];
}

/** Questions of a node that wait for an answer, for the server that leads it; none for another one. */
export function openPhoneQuestions(db: Queryable, node: string, holder: string): Promise<PhoneQuestion[]> {
  return prepared<PhoneQuestion>(
    db,
    `select q.id, coalesce((select json_agg(json_build_object('team', t.identity, 'extension', x.number, 'extensionKind', x.kind,
         'endpoint', x.endpoint) order by length(x.number), x.number)
       from extensions x where x.user_id = a.user_id and x.team_id = q.team_id and x.kind = 'sip' and x.removed_at is null), '[]')
       as phones
     from phone_questions q join teams t on t.id = q.team_id join agents a on a.id = q.agent_id
     where q.node = :node and q.phones is null and q.expires_at > clock_timestamp()
       and exists (select from leader_leases where node = :node and holder = :holder and expires_at > clock_timestamp())
     order by q.id limit 100`,
    { node, holder },
  );
}

/** The answer; the same when two servers give it. */
export async function answerPhoneQuestion(db: Queryable, id: number, phones: RegisteredAt): Promise<void> {
  await prepared(db, 'update phone_questions set phones = ?::jsonb where id = ?', [
    JSON.stringify(phones),
    id,
  ]);
}

/** Takes away what somebody asked who has ended since. */
export async function sweepPhoneQuestions(db: Queryable, node: string): Promise<void> {
  await prepared(
    db,
    `delete from phone_questions where node = ? and expires_at < clock_timestamp() - interval '1 minute'`,
    [node],
  );
}
