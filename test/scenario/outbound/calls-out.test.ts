import t from 'tap';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import { until } from '../../../domain/machine/processes.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab } from '../../support/centre.js';
import { Provider, toldIn } from '../../support/phones/providers.js';

await needLab(t);
const a = await Provider.start('provider.a', 81);
const b = await Provider.start('provider.b', 82);
const providers = [a, b];
t.teardown(() => Promise.all(providers.map((provider) => provider.stop())));
const centre = await centreOf(t, crowd(1, { did: '+4930600101' }), {
  asterisk: { extra: { 'pjsip.conf': `${a.section()}${b.section()}` } },
  provision: async (db) => {
    await addUser(db, 'astercc', { username: 'anna', name: 'Anna' });
    await addExtension(db, 'astercc', { number: '5002', user: 'anna' });
    for (const [name, { endpoint }] of [
      ['first', a],
      ['second', b],
    ] as const)
      await addTrunk(db, 'astercc', { name, endpoint, country: 'DE' });
    await addDid(db, 'astercc', { number: '+4930600100', to: 'extension:5002' });
    await db.raw(`
      insert into trunk_groups (team_id, name) select id, 'both' from teams where identity = 'astercc';
      insert into trunk_group_members (trunk_group_id, trunk_id, position)
        select g.id, k.id, row_number() over (order by k.name) from trunk_groups g, trunks k;
      update teams set outside_prefix = '0', country = 'DE', area = '30', caller_id = '+4930600100',
        trunk_group_id = (select id from trunk_groups) where identity = 'astercc';
      insert into number_classes (team_id, beginning, class) select id, '+49', 'national' from teams;
      insert into user_groups (team_id, name, position, trunk_id)
        select team_id, 'sales', 1, id from trunks where name = 'second';
      insert into user_group_members (team_id, user_group_id, user_id)
        select g.team_id, g.id, u.id from user_groups g, users u where u.username = 'anna';
    `);
  },
});
const { asterisk, db, server } = centre;
for (const provider of providers) await provider.reachable(asterisk);
const crowdPhone = await centre.phone('5001');
const anna = await centre.phone('5002', { name: 'Anna' });

interface Row {
  uniqueid: string;
  trunk: string | null;
  outcome: string | null;
  refused: string | null;
  payer: string | null;
  extension: string | null;
  number: string | null;
  ended_by: string | null;
  talked: number | null;
  rang: boolean;
  tries: string | null;
}

const rows = async (): Promise<Row[]> => {
  const { rows } = await db.raw<{ rows: Row[] }>(
    `select c.uniqueid, c.trunk, c.outcome, c.refused, u.username as payer, x.number as extension, c.number, c.ended_by,
       round(extract(epoch from c.leg_ended_at - c.leg_answered_at))::integer as talked, c.ringing_at is not null as rang,
       (select string_agg(trunk || ' ' || outcome || coalesce(' ' || code, ''), ', ' order by position) from call_tries y
        where y.call_id = c.id) as tries
     from calls c left join users u on u.id = c.user_id left join extensions x on x.id = c.from_extension_id
     where c.direction = 'out' and c.ended_at is not null order by c.arrived_at, c.id`,
  );
  return rows;
};

/** The record of the call that was dialled last, once all of its end is in the database; every call has a number of its own. */
const recordOf = (number: string, deadlineMs = 30_000): Promise<Row> =>
  until(
    `the record of the call to ${number}`,
    async () => (await rows()).find((row) => row.number === number && row.ended_by !== null),
    deadlineMs,
  );

let next = 100_000;
/** A number that was not called before, as it is dialled and as it is kept. */
function fresh(): { dialled: string; number: string } {
  const last = String(next++);
  return { dialled: `0030${last}`, number: `+4930${last}` };
}

/** Trunks that have failed are tried again. */
const forget = async (): Promise<void> => {
  for (const { endpoint } of providers)
    await asterisk.console(`dialplan set global STAR64_ASIDE_${endpoint} 0`);
};

/** Dials a number that nobody answers, and waits for the end of the call. */
async function dialInVain(phone: Phone): Promise<Row> {
  const { dialled, number } = fresh();
  await phone.dial(dialled);
  await phone.closed();
  return recordOf(number);
}

/** Dials, talks until somebody hangs up. */
async function talk(phone: Phone, provider: Provider, by: 'caller' | 'callee'): Promise<string> {
  const { dialled, number } = fresh();
  provider.does('answer');
  const index = provider.calls.length;
  await phone.dial(dialled);
  await phone.established();
  const call = await provider.call(index, 'answered');
  if (by === 'caller') await phone.hangup();
  else provider.hangUp(call);
  await phone.closed();
  return number;
}

const answeredAt = (provider: Provider): number =>
  provider.calls.filter(({ state }) => state === 'ended' || state === 'answered').length;

await t.test('what becomes of calls over two trunks is recorded as the providers saw it', async (t) => {
  for (const [does, outcome] of [
    [486, 'busy'],
    [480, 'no-answer'],
    [404, 'unreachable'],
    [603, 'refused'],
  ] as const) {
    b.does(does);
    t.match(await dialInVain(anna), {
      outcome,
      trunk: 'second',
      payer: 'anna',
      extension: '5002',
      ended_by: 'callee',
      talked: null,
      tries: `second ended ${does}`,
    });
  }
  a.does(503);
  b.does(486);
  t.match(await dialInVain(crowdPhone), {
    outcome: 'busy',
    payer: 'crowd',
    trunk: 'second',
    tries: 'first failed 503, second ended 486',
  });
  await forget();
  b.does(500);
  t.match(await dialInVain(crowdPhone), {
    outcome: 'failed',
    trunk: null,
    ended_by: 'system',
    tries: 'first failed 503, second failed 500',
  });
  await forget();
  t.match(await recordOf(await talk(anna, b, 'callee')), {
    outcome: 'answered',
    ended_by: 'callee',
    trunk: 'second',
    rang: true,
  });
  t.match(await recordOf(await talk(anna, b, 'caller')), {
    outcome: 'answered',
    ended_by: 'caller',
    talked: Number,
  });
  for (let n = 0; n < 4; n++)
    t.match(await recordOf(await talk(crowdPhone, a, n % 2 ? 'caller' : 'callee')), {
      outcome: 'answered',
      trunk: 'first',
    });
  // Its caller gives up.
  b.does('ring');
  const { dialled, number } = fresh();
  const index = b.calls.length;
  await anna.dial(dialled);
  await b.call(index, 'invited');
  await until('it to ring', () =>
    anna.events.find(({ type }) => type === 'CALL_RINGING' || type === 'CALL_PROGRESS'),
  );
  await anna.hangup();
  await b.call(index, 'cancelled');
  t.match(await recordOf(number), { outcome: 'abandoned', ended_by: 'caller', talked: null, rang: true });
  // Not let out at all.
  await anna.dial('00019005551234');
  await anna.closed();
  t.match(await recordOf('+19005551234'), { outcome: 'refused', refused: 'class', trunk: null, tries: null });
});

await t.test('killed in a call: it is one record, and its end is that of the call', async (t) => {
  b.does('answer');
  const { dialled, number } = fresh();
  const index = b.calls.length;
  await anna.dial(dialled);
  await anna.established();
  const call = await b.call(index, 'answered');
  await until('the answer to be recorded', async () =>
    (await db('calls').where({ number }).whereNotNull('leg_answered_at')).length === 1 ? true : undefined,
  );
  await server.kill();
  const started = await server.log.mark();
  await server.start();
  // It serves calls before it follows those that go on.
  await server.log.waitFor(/"msg":"watching Asterisk"/, started);
  const from = await asterisk.verbose.mark();
  t.equal((await db('calls').where({ number }).whereNotNull('ended_at')).length, 0);
  b.hangUp(call);
  await anna.closed();
  await until('the end', async () => (await toldIn(asterisk, 'Star64OutEnd', from))[0]);
  t.match(await recordOf(number), { outcome: 'answered', trunk: 'second' });
  t.equal((await db('calls').where({ number })).length, 1);
});

await t.test(
  'calls with no server leave one line each, and are recorded once when one is back',
  async (t) => {
    await server.kill();
    // The promise of a server runs out, and what is said from then on is said to nobody.
    await until(
      'the lease to run out',
      async () => {
        const text = await asterisk.console(
          'dialplan eval function MATH(${GLOBAL(STAR64_LEASE)}-${EPOCH},int)',
        );
        const [, left] = /Result: (-?[0-9]+)/.exec(text) ?? [];
        return left !== undefined && Number(left) < 6 ? true : undefined;
      },
      30_000,
    );
    const talked = await talk(anna, b, 'caller');
    b.does(486);
    const busy = fresh();
    await anna.dial(busy.dialled);
    await anna.closed();
    await until('two lines', async () =>
      (await asterisk.console('database show star64-out')).includes('2 results found') ? true : undefined,
    );
    t.equal((await db('calls').whereIn('number', [talked, busy.number])).length, 0);
    await server.start();
    t.match(await recordOf(talked), {
      outcome: 'answered',
      trunk: 'second',
      payer: 'anna',
      extension: '5002',
      ended_by: 'caller',
      tries: 'second answered 200',
    });
    t.match(await recordOf(busy.number), { outcome: 'busy', trunk: 'second', tries: 'second ended 486' });
    await until('the lines to be gone', async () =>
      (await asterisk.console('database show star64-out')).includes('0 results found') ? true : undefined,
    );
  },
);

await t.test('the sums are the providers’ own count', async (t) => {
  const sums = JSON.parse(await centre.star64('--json', 'call', 'sums', '--by', 'trunk')) as {
    of: string | null;
    calls: number;
    answered: number;
  }[];
  const answered = (name: string): number =>
    sums.filter(({ of }) => of === name).reduce((sum, one) => sum + one.answered, 0);
  t.equal(answered('first'), answeredAt(a));
  t.equal(answered('second'), answeredAt(b));
  const { rows: tries } = await db.raw<{ rows: { trunk: string; tries: number }[] }>(
    `select trunk, count(*)::integer as tries from call_tries where outcome in ('answered', 'ended', 'failed') group by 1 order by 1`,
  );
  t.same(tries, [
    { trunk: 'first', tries: a.calls.length },
    { trunk: 'second', tries: b.calls.length },
  ]);
  const csv = await centre.star64('call', 'sums', '--by', 'user', '--csv');
  t.match(csv, /^of,class,calls,refused,answered,talk_seconds,hold_seconds,consult_seconds\r\n/);
});
