import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup } from '../../../domain/provisioning/numbers/trunk-group.js';
import { crowd as callers, type CrowdResult } from '../../../lab/caller.js';
import { crowd, provision } from '../../../lab/provision.js';
import { centreFor } from '../centre.js';
import { Provider, type Behaviour } from '../phones/providers.js';

/** What the first provider does with a call, by the digit behind the area code, and what is to be recorded of it. */
const kinds = {
  1: { does: 'answer', record: 'answered first callee: first answered 200' },
  2: { does: 'answer', record: 'answered first caller: first answered 200' },
  3: { does: 'ring', record: 'answered first callee: first answered 200' },
  4: { does: 'ring', record: 'abandoned first caller: first ended 180' },
  5: {
    does: 'trying',
    record: /^answered second caller: first (failed|failed 100|set-aside), second answered 200$/,
  },
  6: { does: 'silent', record: /^answered second caller: first (failed|set-aside), second answered 200$/ },
  7: {
    does: 'ring',
    record: /^answered second caller: first (failed|set-aside|unavailable), second answered 200$/,
  },
  8: { does: 'ring', record: /^answered second caller: first unavailable, second answered 200$/ },
  9: { does: 'ring', record: 'no-answer first system: first ended 180' },
} as const satisfies Record<number, { does: Behaviour; record: string | RegExp }>;
type Kind = keyof typeof kinds;

const prefix = '+49305';
const kindOf = (number: string): Kind => Number(number.charAt(prefix.length)) as Kind;

/**
 * Calls over the first of two trunks, whose provider is killed while some talk, some ring, and some are being set up; later it
 * is back. `each`: how many calls of each kind; `patient`: some let it ring for as long as a number may, two minutes.
 */
export async function killedProvider(
  t: Test,
  { each, patient = false }: { each: number; patient?: boolean },
): Promise<void> {
  const a = await Provider.start('provider.a', 73);
  const b = await Provider.start('provider.b', 74);
  t.teardown(() => Promise.all([a.stop(), b.stop()]));
  const address = '127.0.0.75';
  const centre = await centreFor(t, {
    asterisk: {
      extra: {
        'pjsip.conf': `${a.section()}${b.section()}
[own-phone]
type = endpoint
transport = lab-udp
context = astercc-phones
disallow = all
allow = ulaw
[own-phone]
type = identify
endpoint = own-phone
match = ${address}
`,
      },
    },
    provision: async (db) => {
      await provision(db, crowd(0));
      const unlimited = { callsAtOnce: null, callsPerHour: null };
      await addExtension(db, 'astercc', {
        number: '5001',
        user: 'crowd',
        endpoint: 'own-phone',
        ...unlimited,
      });
      for (const [name, { endpoint }] of [
        ['first', a],
        ['second', b],
      ] as const)
        await addTrunk(db, 'astercc', { name, endpoint, country: 'DE', replySeconds: 10 });
      await addTrunkGroup(db, 'astercc', { name: 'both', members: ['first', 'second'] });
      await setTeam(db, 'astercc', { outsidePrefix: '0', area: '30', trunkGroup: 'both', callsAtOnce: null });
    },
  });
  const { asterisk, db } = centre;
  for (const provider of [a, b]) await provider.reachable(asterisk);
  a.does((number) => kinds[kindOf(number)].does);
  b.does('answer');

  const numbersOf = (kind: Kind): string[] =>
    Array.from({ length: each }, (_, index) => `${prefix}${kind}${String(index).padStart(4, '0')}`);
  const calling = (kind: Kind, holdMs: number, patienceMs = 200_000): Promise<CrowdResult> =>
    callers({
      to: numbersOf(kind).map((number) => number.replace('+49', '00')),
      server: asterisk.sip,
      address,
      rate: 50,
      total: each,
      holdMs,
      patienceMs,
    });
  const at = (provider: Provider, kind: Kind) =>
    provider.calls.filter(({ number }) => kindOf(number) === kind);
  const all = (provider: Provider, kind: Kind, ...states: string[]): Promise<true> =>
    until(
      `the calls ${kind} at ${provider.endpoint} to be ${states.join()}`,
      () =>
        at(provider, kind).filter(({ state }) => states.includes(state)).length === each ? true : undefined,
      60_000,
    );

  const results = new Map<Kind, Promise<CrowdResult>>();
  results.set(1, calling(1, 300_000));
  results.set(3, calling(3, 300_000));
  if (patient) results.set(9, calling(9, 300_000));
  results.set(2, calling(2, 8000));
  results.set(4, calling(4, 300_000, 8000));
  await all(a, 1, 'answered');
  for (const kind of [3, 4, ...(patient ? ([9] as const) : [])] as const)
    await all(a, kind, 'invited', 'cancelled');
  results.set(5, calling(5, 300));
  results.set(6, calling(6, 300));
  await until('calls to be set up at the provider', () =>
    at(a, 5).length + at(a, 6).length > 0 ? true : undefined,
  );
  a.die();
  results.set(7, calling(7, 300));
  await a.reachable(asterisk, false);
  results.set(8, calling(8, 300));
  for (const kind of [5, 6, 7, 8] as const) await all(b, kind, 'answered', 'ended');
  const of = async (kind: Kind) => {
    const { successful, failed } = (await results.get(kind)) ?? {};
    return [successful, failed];
  };
  for (const kind of [5, 6, 7, 8] as const)
    t.same(await of(kind), [each, 0], `calls ${kind} go to the next trunk, and are answered there`);
  t.same(await of(2), [each, 0], 'who talked with somebody behind it hangs up as always');
  t.same(await of(4), [0, each], 'who let it ring gives up');
  // Calls that were established live on, and only they.
  await until('the others to be gone', async () =>
    (await legsUp('provider.a')) === each ? true : undefined,
  );

  a.live();
  for (const call of at(a, 3)) a.pickUp(call);
  await until('those that ring to be answered', async () =>
    (await legsUp('provider.a')) === 2 * each ? true : undefined,
  );
  for (const kind of [1, 3] as const) {
    for (const call of at(a, kind)) a.hangUp(call);
    t.same(await of(kind), [each, 0], `calls ${kind} end as their callees end them`);
  }
  if (patient) {
    a.die();
    t.same(await of(9), [0, each], 'it rings for two minutes, and no longer');
  }
  await until(
    'the last channel to end',
    async () =>
      (await asterisk.console('core show channels count')).includes('0 active channels') ? true : undefined,
    60_000,
  );
  t.match(await asterisk.console('group show channels'), /0 active channels/, 'and nothing is counted');

  const numbers = [...results.keys()].flatMap(numbersOf).sort();
  await until(
    'all calls to be recorded',
    async () =>
      (await db('calls').whereNotNull('ended_at').whereNotNull('outcome').whereNotNull('ended_by')).length >=
        numbers.length || undefined,
    60_000,
  );
  const { rows } = await db.raw<{ rows: { number: string; record: string }[] }>(
    `select c.number, concat_ws(' ', c.outcome, c.trunk, c.ended_by) || ': ' ||
       (select string_agg(concat_ws(' ', y.trunk, y.outcome, y.code), ', ' order by y.position) from call_tries y where y.call_id = c.id) as record
     from calls c order by c.number`,
  );
  t.same(
    rows.map(({ number }) => number),
    numbers,
    'each call is recorded once',
  );
  t.same(
    rows.filter(({ number, record }) => {
      const { record: wanted } = kinds[kindOf(number)];
      return typeof wanted === 'string' ? record !== wanted : !wanted.test(record);
    }),
    [],
    'as it was',
  );
  // A provider that comes back is sent again what nobody waits for any more, and its end: no other call is meant.
  t.same(
    [...new Set(b.numbers)].sort(),
    ([5, 6, 7, 8] as const).flatMap(numbersOf),
    'nobody whom one provider has rung is called over the other, and nobody twice',
  );
  t.equal(b.numbers.length, 4 * each);
  const { rows: counted } = await db.raw<{ rows: { trunk: string; sent: number; answered: number }[] }>(
    `select trunk, count(*) filter (where outcome in ('answered', 'ended', 'failed'))::integer as sent,
       count(*) filter (where outcome = 'answered')::integer as answered from call_tries group by trunk order by trunk`,
  );
  const answeredAt = ({ calls }: Provider): number =>
    calls.filter(({ state }) => state === 'answered' || state === 'ended').length;
  t.same(
    counted,
    [
      { trunk: 'first', sent: a.sent, answered: answeredAt(a) },
      { trunk: 'second', sent: b.sent, answered: answeredAt(b) },
    ],
    'the records are the providers’ own counts',
  );

  /** How many legs over a trunk are in a conversation. */
  async function legsUp(endpoint: string): Promise<number> {
    const text = await asterisk.console('core show channels concise');
    return text.split('\n').filter((line) => line.startsWith(`PJSIP/${endpoint}-`) && line.includes('!Up!'))
      .length;
  }
}
