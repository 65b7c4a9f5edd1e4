import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addExtension, showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import { addUserGroup } from '../../../domain/provisioning/people/user-group.js';
import { AnsweringPhones } from '../../../lab/answering.js';
import { crowd as callers } from '../../../lab/caller.js';
import { crowd, provision } from '../../../lab/provision.js';
import { centreFor } from '../centre.js';
import { ConsultingPhone } from '../phones/consulting-phone.js';
import { Provider, toldIn, triesIn, type ProviderCall } from '../phones/providers.js';
import { RawPhone, type Dialog } from '../phones/raw-phone.js';

/** Who calls out, each with endpoints of an operator from which many call at one moment. */
const payers = { plain: '127.0.0.66', sales: '127.0.0.67', second: '127.0.0.68' } as const;
type Payer = keyof typeof payers;

export interface SentOn {
  /** Calls of each payer that its phones have sent on to colleagues, and have left. */
  sentOn: number;
  /** How many more calls than that may go out at a time: of the team; of sales, and over the second trunk, one less. */
  more: number;
  /** How many call at one moment. */
  starts: number;
}

/**
 * Limits of calls at a time when phones have sent calls on, blind, attended, and by key after they asked, and left them: what is counted is the leg over
 * the trunk, which lives on. Then many call at one moment, and exactly as many go out as may.
 */
export async function limitsAfterSendingOn(t: Test, { sentOn, more, starts }: SentOn): Promise<void> {
  const a = await Provider.start('provider.a', 64);
  const b = await Provider.start('provider.b', 65);
  t.teardown(() => Promise.all([a.stop(), b.stop()]));
  const numbers = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => String(from + index));
  const ofPayer: Record<Payer, string[]> = {
    plain: numbers(5100, sentOn),
    sales: numbers(5200, sentOn),
    second: numbers(5300, sentOn),
  };
  const colleagues = numbers(5500, 3 * sentOn);
  const centre = await centreFor(t, {
    asterisk: {
      extra: {
        'pjsip.conf': [a.section(), b.section(), ...Object.entries(payers).map(endpointOf)].join(''),
      },
    },
    provision: async (db) => {
      const team = 'astercc';
      await provision(db, crowd(0));
      const any = { callsAtOnce: null, callsPerHour: null };
      for (const [name, { endpoint }] of [
        ['first', a],
        ['second', b],
      ] as const)
        await addTrunk(db, team, {
          name,
          endpoint,
          country: 'DE',
          ...(name === 'second' && { channels: sentOn + more - 1 }),
        });
      for (const [index, payer] of (Object.keys(payers) as Payer[]).entries()) {
        await addUser(db, team, { username: payer });
        await addExtension(db, team, { number: String(5001 + index), user: payer, endpoint: payer, ...any });
        for (const number of ofPayer[payer])
          await addExtension(db, team, { number, user: payer, callsAtOnce: 1 });
      }
      for (const number of colleagues) await addExtension(db, team, { number, user: 'crowd' });
      await addUserGroup(db, team, {
        name: 'sales',
        users: { add: ['sales'] },
        callsAtOnce: sentOn + more - 1,
      });
      await addUserGroup(db, team, { name: 'second', users: { add: ['second'] }, trunk: 'second' });
      await setTeam(db, team, {
        outsidePrefix: '0',
        area: '30',
        trunk: 'first',
        callsAtOnce: 3 * sentOn + more,
        // Nobody here speaks, and a busy machine takes longer than the minute after which a silent phone's call is ended.
        rtpTimeout: 3600,
      });
    },
  });
  const { asterisk, db } = centre;
  for (const provider of [a, b]) await provider.reachable(asterisk);
  const login = async (number: string) => ({
    user: `astercc-${number}`,
    secret: (await showExtensionSecret(db, 'astercc', number)).secret ?? '',
  });
  const answering = await AnsweringPhones.start({
    logins: await Promise.all(colleagues.map(login)),
    server: asterisk.sip,
    talkMs: 600_000,
  });
  t.teardown(() => answering.stop());
  const counted = async (what: string): Promise<number> =>
    Number(
      /Result: (\d+)/.exec(await asterisk.console(`dialplan eval function GROUP_COUNT(${what})`))?.[1] ?? -1,
    );
  /** Names of channels of a phone. */
  const channelsOf = async (number: string): Promise<string[]> =>
    (await asterisk.console('core show channels concise')).match(
      new RegExp(`^PJSIP/astercc-${number}-[^!]+`, 'gm'),
    ) ?? [];

  for (const provider of [a, b]) provider.does('answer');
  const legs: { provider: Provider; call: ProviderCall }[] = [];
  for (const [at, number] of [...ofPayer.plain, ...ofPayer.sales, ...ofPayer.second].entries()) {
    const colleague = colleagues[at] ?? '';
    const provider = ofPayer.second.includes(number) ? b : a;
    const before = provider.calls.length;
    const { user, secret } = await login(number);
    const dialled = `00307${number}`;
    const { host, port } = asterisk.sip;
    // By turns blind, after a call to the colleague, and by key, who is asked in the call.
    if (at % 3 !== 1) {
      const phone = await RawPhone.start(user, secret, asterisk.sip, '127.0.0.1');
      t.teardown(() => phone.stop());
      const key = async (dialog: Dialog, keys: string): Promise<void> => {
        for (const one of keys) t.equal(await phone.info(dialog, one), 200);
      };
      const began = await asterisk.verbose.mark();
      /** In the call, and then with the colleague: keys before that would be nobody's. */
      const inBridges = (times: number): Promise<true> =>
        until(`${number} to talk for the ${times}. time`, async () =>
          (await asterisk.verbose.lines())
            .slice(began)
            .filter((line) => line.includes(`Channel PJSIP/astercc-${number}-`) && / joined /.test(line))
            .length >= times
            ? true
            : undefined,
        );
      await phone.call({ to: dialled }, async (dialog) => {
        // Who is answered is told so before Asterisk joins them, and only who is joined can send a call on.
        await inBridges(1);
        if (at % 3 === 0) t.equal(await phone.refer(dialog, `<sip:${colleague}@${host}:${port}>`), 202);
        else {
          await key(dialog, `*2${colleague}`);
          await inBridges(2);
          t.equal(await counted('astercc@star64-count-team'), at + 1, 'who asks has one call');
          await key(dialog, '*6');
        }
        await until(
          `${number} to have left`,
          async () => (await channelsOf(number)).length === 0 || undefined,
        );
      });
      // What it sent on counts for it: this was all that it may call.
      const from = await asterisk.verbose.mark();
      t.not((await phone.call({ to: dialled })).status, 200);
      const ends = await until(`the end of the call of ${number} to be told`, async () => {
        const told = await toldIn(asterisk, 'Star64OutEnd', from);
        return told.length > 0 ? told : undefined;
      });
      t.match(ends, [{ Limit: `extension-${number}` }]);
      phone.stop();
    } else {
      const phone = await ConsultingPhone.start(user, secret, asterisk.sip);
      t.teardown(() => phone.stop());
      const outside = await phone.call(dialled);
      await phone.join(outside, await phone.call(colleague));
      await until(`${number} to have left`, async () => (await channelsOf(number)).length === 0 || undefined);
      await phone.stop();
    }
    legs.push({ provider, call: await provider.call(before, 'answered') });
    await until(
      `the colleague ${colleague} to talk with them`,
      async () => (await channelsOf(colleague)).length === 1 || undefined,
    );
  }
  const counts = async () => ({
    team: await counted('astercc@star64-count-team'),
    sales: await counted('astercc@star64-count-group-sales'),
    second: await counted('provider.b@star64-trunk'),
  });
  const left = { team: 3 * sentOn, sales: sentOn, second: sentOn };
  t.same(await counts(), left, 'the calls that were sent on count as before');

  for (const provider of [a, b]) provider.does('ring');
  for (const [payer, limit, go] of [
    ['sales', 'group-sales', more - 1],
    ['second', 'full', more - 1],
    ['plain', 'team', more],
  ] as const)
    await t.test(`${starts} start at one moment: ${limit}`, async (t) => {
      const provider = payer === 'second' ? b : a;
      const before = provider.calls.length;
      const from = await asterisk.verbose.mark();
      asterisk.freeze();
      const calling = callers({
        to: '0030999999',
        server: asterisk.sip,
        address: payers[payer],
        rate: 200,
        total: starts,
        holdMs: 10,
      });
      await new Promise((resolve) => setTimeout(resolve, 500 + 5 * starts));
      asterisk.thaw();
      await until(
        'those that may not to be told',
        async () => (await toldIn(asterisk, 'Star64OutEnd', from)).length >= starts - go || undefined,
        60_000,
      );
      const ends = await toldIn(asterisk, 'Star64OutEnd', from);
      t.equal(ends.length, starts - go);
      if (limit === 'full')
        t.equal(
          (await triesIn(asterisk, from)).filter((one) => one === 'provider.b full').length,
          starts - go,
        );
      else
        // LOCK() gives up after three seconds. Who counts without it sees what others are about to take back, and may meet the limit of the team first.
        t.same(
          ends.filter(({ Refused, Limit = '' }) => Refused !== 'limit' || ![limit, 'team'].includes(Limit)),
          [],
        );
      await until('those that may to ring', () => provider.calls.length >= before + go || undefined);
      const ringing = provider.calls.slice(before);
      t.equal(ringing.length, go, 'exactly as many go out as may');
      for (const call of ringing) provider.pickUp(call);
      const { successful, failed } = await calling;
      t.same([successful, failed], [go, starts - go]);
      // The count falls a moment before a call's end is told, and the next round counts what is told.
      await until(
        'their ends',
        async () => (await toldIn(asterisk, 'Star64OutEnd', from)).length >= starts || undefined,
      );
      await until('their legs to be gone', async () => isDeepStrictEqual(await counts(), left) || undefined);
    });
  t.same(await counts(), left);

  for (const { provider, call } of legs) {
    t.match(call, { state: 'answered', endedBy: undefined }, `${call.number} has not been cut off`);
    provider.hangUp(call);
  }
  await until('nothing to be counted', async () =>
    (await asterisk.console('group show channels')).includes('0 active channels') ? true : undefined,
  );
}

const endpointOf = ([name, address]: [string, string]): string => `[${name}]
type = endpoint
transport = lab-udp
context = astercc-phones
disallow = all
allow = ulaw
[${name}]
type = identify
endpoint = ${name}
match = ${address}
`;
