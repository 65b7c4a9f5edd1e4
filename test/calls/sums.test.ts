import t from 'tap';
import { listCalls } from '../../domain/calls/records/list.js';
import { sumCalls } from '../../domain/calls/records/sums.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { plansOf } from '../support/plans.js';
import { defaultNode } from '../support/records.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(1, { team: 'other', did: '600200' }));
const team = await db('teams').where({ identity: 'astercc' }).first<{ id: number }>('id');
const other = await db('teams').where({ identity: 'other' }).first<{ id: number }>('id');
const phones = await db('extensions')
  .where({ team_id: team.id })
  .orderBy('number')
  .select<{ id: number; number: string; user_id: number }[]>('id', 'number', 'user_id');
const [first] = phones;
let made = 0;

interface Made {
  at: string;
  seconds: number | null;
  class: string | null;
  trunk: string | null;
  phone: (typeof phones)[number] | undefined;
  refused: string | null;
  direction: string;
  team_id: number;
}

/** A call to the outside, of `seconds` if it was answered. */
async function call(more: Partial<Made> = {}): Promise<void> {
  const one = {
    at: '2026-11-26T10:00:00Z',
    seconds: null,
    class: 'national',
    trunk: 'one',
    phone: first,
    refused: null,
    direction: 'out',
    team_id: team.id,
    ...more,
  };
  const { at, seconds, phone, ...columns } = one;
  const plus = (s: number) => db.raw('?::timestamptz + make_interval(secs => ?)', [at, s]);
  await db('calls').insert({
    ...columns,
    node: defaultNode,
    uniqueid: `sum.${made++}`,
    number: '+49301',
    arrived_at: at,
    user_id: phone?.user_id ?? null,
    from_extension_id: phone?.id ?? null,
    leg: seconds === null ? null : `leg.${made}`,
    answered_at: seconds === null ? null : plus(5),
    leg_answered_at: seconds === null ? null : plus(5),
    leg_ended_at: seconds === null ? null : plus(5 + seconds),
    ended_at: plus(5 + (seconds ?? 0)),
    outcome: seconds === null ? 'busy' : 'answered',
  });
}

const november = { since: new Date('2026-11-01T00:00:00Z'), until: new Date('2026-12-01T00:00:00Z') };

await t.test('calls, answered ones and talk seconds, by class and by what they are of', async (t) => {
  await call({ seconds: 60 });
  await call({ seconds: 30, trunk: 'two' });
  await call({ at: '2026-11-03T08:00:00Z', trunk: 'two', class: 'mobile', phone: phones[1] });
  await call({ refused: 'class', trunk: null, class: 'premium' });
  // Paid by the team, sent on from a call that came in, and another team's.
  await call({ seconds: 10, phone: undefined, trunk: 'one' });
  await call({ seconds: 20, direction: 'in', trunk: 'one' });
  await call({ direction: 'in', trunk: null, class: null });
  await call({ seconds: 1000, team_id: other.id, phone: undefined });
  // On hold for 12 s and again for 30 s, of which 8 s are in the time that is billed.
  await db.raw(`insert into holds (team_id, node, call, channel, extension_id, kind, started_at, ended_at)
    select c.team_id, c.node, c.uniqueid, 'x', c.from_extension_id, k.kind, c.leg_answered_at + k.at, c.leg_answered_at + k.at + k.long
    from (select * from calls where leg_answered_at is not null order by id limit 1) c, (values
      ('hold', interval '10 s', interval '12 s'), ('consult', interval '52 s', interval '30 s')) k (kind, at, long)`);
  const unheld = { holdSeconds: 0, consultSeconds: 0 };
  t.same(await sumCalls(db, 'astercc', { by: 'trunk', ...november }), [
    {
      of: 'one',
      class: 'national',
      calls: 3,
      refused: 0,
      answered: 3,
      talkSeconds: 90,
      holdSeconds: 12,
      consultSeconds: 8,
    },
    { of: 'two', class: 'mobile', calls: 1, refused: 0, answered: 0, talkSeconds: 0, ...unheld },
    { of: 'two', class: 'national', calls: 1, refused: 0, answered: 1, talkSeconds: 30, ...unheld },
    { of: null, class: 'premium', calls: 0, refused: 1, answered: 0, talkSeconds: 0, ...unheld },
  ]);
  const byExtension = await sumCalls(db, 'astercc', { by: 'extension', ...november });
  t.match(byExtension, [
    { of: '5001', class: 'national', calls: 3, answered: 3, talkSeconds: 110 },
    { of: '5001', class: 'premium', refused: 1 },
    { of: '5002', class: 'mobile', calls: 1 },
    { of: null, class: 'national', calls: 1, talkSeconds: 10 },
  ]);
  for (const by of ['user', 'user-group', 'group'])
    t.equal(
      (await sumCalls(db, 'astercc', { by, ...november })).reduce(
        (sum, { talkSeconds }) => sum + talkSeconds,
        0,
      ),
      120,
      by,
    );
  await t.rejects(sumCalls(db, 'astercc', { by: 'moon', ...november }), { code: 'invalid_choice' });
});

await t.test('each second on hold counts once, and as consultation if somebody is asked in it', async (t) => {
  await db('calls').delete();
  await call({ seconds: 100 });
  // Two phones hold it, from 10 to 40 and from 30 to 60; in a consultation from 50 to 80 that phone holds whom it asks.
  await db.raw(
    `insert into holds (team_id, node, call, channel, extension_id, kind, started_at, ended_at)
     select c.team_id, c.node, c.uniqueid, k.channel, c.from_extension_id, k.kind, c.leg_answered_at + k.at, c.leg_answered_at + k.until
     from calls c, (values ('a', 'hold', interval '10 s', interval '40 s'), ('b', 'hold', interval '30 s', interval '60 s'),
       ('c', 'consult', interval '50 s', interval '80 s')) k (channel, kind, at, until) where c.team_id = :team`,
    { team: team.id },
  );
  const seconds = { holdSeconds: 40, consultSeconds: 30 };
  t.match(await sumCalls(db, 'astercc', { by: 'trunk', ...november }), [{ talkSeconds: 100, ...seconds }]);
  t.match((await listCalls(db, 'astercc')).calls, [{ talkSeconds: 30, ...seconds }], 'as in the list');
});

await t.test('a call belongs to the period in which it was dialled, and to no other', async (t) => {
  await db('calls').delete();
  await call({ at: '2026-11-30T23:59:59Z', seconds: 600 });
  await call({ at: '2026-12-01T00:00:00Z', seconds: 60 });
  await call({ at: '2026-10-31T23:59:59Z', seconds: 60 });
  t.match(await sumCalls(db, 'astercc', { by: 'trunk', ...november }), [{ calls: 1, talkSeconds: 600 }]);
});

await t.test('a period is read by its index and in pieces', async (t) => {
  await db('calls').delete();
  await db.raw('alter table calls disable trigger user');
  for (const from of [0, 5000, 10_000, 15_000])
    await db.raw(
      `insert into calls (team_id, node, uniqueid, direction, class, arrived_at, ended_at, outcome)
       select :team, :node, 'many-' || n, case when n % 2 = 0 then 'out' else 'in' end, 'national',
         '2026-11-01'::timestamptz + n * interval '2 minutes', now(), 'busy'
       from generate_series(:from::integer, :from + 4999) as n`,
      { from, team: team.id, node: defaultNode },
    );
  await db.raw('analyze calls');
  const plans = await plansOf(db, 'from calls c', async () => {
    const [sum] = await sumCalls(db, 'astercc', { by: 'trunk', ...november });
    t.equal(sum?.calls, 10_000);
  });
  t.ok(plans.length > 2 * 20, 'no statement reads more than a day');
  for (const plan of plans) t.notMatch(plan, /Seq Scan on calls/, plan);
});
