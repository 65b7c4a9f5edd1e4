import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import { readStory } from '../../../domain/calls/records/story.js';
import { until } from '../../../domain/machine/processes.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addUserGroup } from '../../../domain/provisioning/people/user-group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab, sameStates, statesOf, waitKnown, waitState } from '../centre.js';
import { Voices } from '../phones/in-call.js';
import { partsAddUp } from '../phones/recorded-calls.js';
import { trunkSection } from '../phones/telephone.js';
import { asWritten } from '../queue-log.js';
import { answers, kinds, type Kind, type Lane, type Row } from './keys-rows.js';
import { noWarnings } from '../warnings.js';

/** What such a call is to A in the records. */
const kindOf: Record<Kind, string> = { outbound: 'out', direct: 'direct', telephone: 'queue' };

/**
 * What keys do in calls of every kind, side by side: who hears whom, the states of both agents, what is recorded of those who
 * were asked, of the parts of the call, and by app_queue.
 */
export async function keysByKind(t: Test, rows: readonly Row[]): Promise<void> {
  await needLab(t);
  const voices = await Voices.of(t, 'A', 'B', 'C');
  const ports = { telephone: await PortBlock.reserve('phone'), outside: await PortBlock.reserve('phone') };
  const settings = { wrapUp: 'answer', wrapUpSeconds: 1, missedLimit: 0, directCalls: 'wrap-up' };
  const lanes = kinds.map((kind, at) => ({
    kind,
    agents: { A: `100${at + 1}`, B: `101${at + 1}` },
    numbers: { A: `500${at + 1}`, B: `501${at + 1}`, brief: `710${at + 1}` },
    group: `group_${kind}`,
    did: `60020${at + 1}`,
  }));
  const telephones = new Map([
    ['telephone', '+4915112345678'],
    ['outbound', '+4915119999999'],
  ]);
  const phoned = lanes.filter(({ kind }) => kind !== 'telephone');
  const centre = await centreOf(
    t,
    {
      ...crowd(0),
      extensions: [...phoned.map(({ numbers }) => numbers.A), ...lanes.map(({ numbers }) => numbers.B)].map(
        (number) => ({ number, user: 'crowd' }),
      ),
      groups: [...lanes.map(({ group }) => group), 'others'].map((name) => ({ name, ...settings })),
      agents: [
        ...phoned.map(({ agents, group }) => ({ number: agents.A, user: 'crowd', groups: [group] })),
        ...lanes.map(({ agents }) => ({ number: agents.B, user: 'crowd', groups: ['others'] })),
      ],
      dids: lanes.map(({ kind, did, group, numbers }) => ({
        number: did,
        to: kind === 'direct' ? `extension:${numbers.A}` : `group:${group}`,
      })),
    },
    {
      asterisk: {
        extra: {
          'pjsip.conf':
            trunkSection('provider.1', '127.0.0.97', ports.telephone.first) +
            trunkSection('provider.2', '127.0.0.96', ports.outside.first),
        },
      },
      provision: async (db) => {
        const team = 'astercc';
        await addTrunk(db, team, { name: 'mobile', endpoint: 'provider.1', country: 'DE' });
        await addTrunk(db, team, { name: 'provider', endpoint: 'provider.2', country: 'DE' });
        await setTeam(db, team, { trunk: 'mobile', outsidePrefix: '0', country: 'DE', area: '30' });
        await addUserGroup(db, team, { name: 'callers', trunk: 'provider', users: { add: ['crowd'] } });
        for (const { kind, agents, numbers, group } of lanes) {
          await addRingGroup(db, team, { number: numbers.brief, members: [numbers.B], ringSeconds: 10 });
          if (kind !== 'telephone') continue;
          const [user, extension, telephone] = ['crowd', numbers.A, telephones.get(kind)];
          await addExtension(db, team, { number: extension, user, kind: 'external', telephone });
          await addAgent(db, team, { number: agents.A, user, groups: [group], kind: 'fixed', extension });
        }
      },
    },
  );
  const { asterisk, db } = centre;
  const is = { A: await voices.phoneOf('A'), B: await voices.phoneOf('B'), C: await voices.phoneOf('C') };

  /** The phone of somebody outside, at a trunk that calls it, or who only calls. */
  async function outside(kind: Kind, who: 'A' | 'C'): Promise<Phone> {
    const at = who === 'A' ? 'telephone' : 'outside';
    const called = who === 'A' || kind === 'outbound';
    const phone = await Phone.start({
      user: (called ? telephones.get(kind) : undefined) ?? `493055${kind}`,
      ...(called
        ? { address: who === 'A' ? '127.0.0.97' : '127.0.0.96', ports: ports[at] }
        : { address: '127.0.0.99' }),
      ...{ server: asterisk.sip, ...is[who] },
    });
    centre.phones.push(phone);
    return phone;
  }

  const ready: Lane[] = [];
  for (const lane of lanes) {
    const { kind, agents, numbers } = lane;
    const phones = {
      A: kind === 'telephone' ? await outside(kind, 'A') : await centre.phone(numbers.A, is.A),
      B: await centre.phone(numbers.B, is.B),
      C: await outside(kind, 'C'),
    };
    for (const who of kind === 'telephone' ? (['B'] as const) : (['A', 'B'] as const)) {
      await signInAgent(db, 'astercc', agents[who], { extension: numbers[who], by: 'test' });
      await waitKnown(centre, numbers[who]);
    }
    await waitState(centre, agents.A, 'idle');
    ready.push({
      ...{ ...lane, asterisk, phones },
      hears: (who, ...others) => voices.hears(phones[who], ...others),
      talk: (one, other) => voices.talk([one, phones[one]], [other, phones[other]]),
      state: (who, state) => waitState(centre, agents[who], state),
      wrappedUp: () => Promise.reject(new Error('no row has begun')),
    });
  }
  await t.test('the keys, row by row, in calls of every kind side by side', async (t) => {
    await Promise.all(
      ready.map(async (lane) => {
        for (const row of rows) await play(t, lane, row);
      }),
    );
  });
  await t.test('nothing of it is wrong to Asterisk', async (t) => {
    await noWarnings(t, asterisk);
  });

  async function play(t: Test, lane: Lane, row: Row): Promise<void> {
    const { kind, agents, group, did } = lane;
    const { A, C } = lane.phones;
    const name = `${kind}: ${row.name}`;
    const before = {
      A: (await statesOf(centre, agents.A)).length,
      B: (await statesOf(centre, agents.B)).length,
    };
    const logged = (await asterisk.queueLog()).length;
    const offers = (await db('offers').max<{ max: number | null }[]>('id'))[0]?.max ?? 0;
    if (kind === 'outbound') {
      await A.dial('0015119999999');
      await C.incoming();
      await C.answer();
      await A.established();
    } else {
      await C.dial(did);
      await A.incoming();
      await answers(lane, 'A');
      await C.established();
    }
    await lane.talk('A', 'C');
    await row.plays({
      ...lane,
      wrappedUp: async () => {
        await until(`${name}: A to be in wrap-up`, async () =>
          (await statesOf(centre, agents.A)).slice(before.A).includes('wrap-up') ? true : undefined,
        );
      },
    });

    const rest = ['talking', 'wrap-up', 'idle'];
    const once = kind === 'outbound' ? rest : ['ringing', ...rest];
    const ofA = row.returns ? [...once, 'ringing', ...rest] : once;
    await sameStates(t, centre, agents.A, before.A, ofA, `${name}: A was in wrap-up when A had left`);
    const talked: Row['asked'] = row.asked.filter((one) => one === 'answered' || one === 'sent');
    const ofB = row.asked.flatMap((one) => ['ringing', ...(talked.includes(one) ? rest : ['idle'])]);
    await sameStates(t, centre, agents.B, before.B, ofB, `${name}: B was in wrap-up where B had talked`);

    const wanted = [
      ...(kind === 'telephone' ? [row.logged] : []),
      ...(row.returns ? ['COMPLETECALLER'] : []),
    ];
    await comes(t, `${name}: app_queue has written`, wanted, async () =>
      asWritten(
        wanted,
        (await asterisk.queueLog())
          .slice(logged)
          .map((line) => line.split('|'))
          .filter(
            ([, , queue, , event = '']) => queue === `astercc-${group}` && /COMPLETE|TRANSFER/.test(event),
          )
          .map(([, , , , event = '']) => event),
      ),
    );
    // A call that B is sent is no question of A's.
    const isSent = row.logged === 'BLINDTRANSFER';
    await comes(t, `${name}: of those who were asked`, isSent ? [] : row.asked, async () =>
      db('offers as o')
        .join('agents as a', 'a.id', 'o.agent_id')
        .where({ 'a.number': agents.B, 'o.kind': 'consult' })
        .where('o.id', '>', offers)
        .whereNotNull('o.ended_at')
        .orderBy('o.id')
        .pluck<string[]>('o.result'),
    );
    const [call = ''] = await db('agent_states as s')
      .join('agents as a', 'a.id', 's.agent_id')
      .where({ 'a.number': agents.A, 's.state': 'talking' })
      .orderBy('s.id', 'desc')
      .limit(1)
      .pluck<string[]>('s.call_uniqueid');
    await comes(t, `${name}: what of it goes on`, [0, 0], async () => [
      (await db('calls').where({ uniqueid: call }).whereNull('ended_at')).length,
      (await db('holds').where({ call }).whereNull('ended_at')).length,
    ]);
    const story = await readStory(db, 'astercc', call);
    t.same(
      story.agents.map((part) => `${part.agent} ${part.kind}`),
      [
        `${agents.A} ${kindOf[kind]}`,
        ...(row.returns ? [`${agents.A} queue`] : []),
        ...talked.map((one) => `${agents.B} ${one === 'sent' ? 'direct' : 'internal'}`),
      ],
      `${name}: who has talked`,
    );
    partsAddUp(t, story, `${name}: `);
  }

  /** What is written a moment after its event comes to be this. */
  async function comes(
    t: Test,
    what: string,
    wanted: readonly unknown[],
    read: () => Promise<unknown[]>,
  ): Promise<void> {
    await until(what, async () => (isDeepStrictEqual(await read(), wanted) ? true : undefined)).catch(
      () => undefined,
    );
    t.same(await read(), wanted, what);
  }
}
