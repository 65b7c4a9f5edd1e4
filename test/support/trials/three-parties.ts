import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, sameStates, statesOf, waitKnown, waitState } from '../centre.js';
import { Voices } from '../phones/in-call.js';
import { trunkSection } from '../phones/telephone.js';
import { asWritten } from '../queue-log.js';
import { noWarnings } from '../warnings.js';

type Party = 'A' | 'B' | 'C';

/** How the three came together, and which two of them hang up, in this order. */
export interface ThreeParties {
  kind: 'queue' | 'direct' | 'outbound';
  phase: 'rings' | 'asked' | 'three' | 'given';
  first: Party;
  second: Party;
}

/** Four at a time, each with three phones of their own; of the last one, the customer is outside. */
export type Lanes = readonly [ThreeParties[], ThreeParties[], ThreeParties[], ThreeParties[]];
/** The lanes of which a conference ends for all when the agent leaves. */
const ending = [2, 3];

/**
 * Three parties, and whoever hangs up first, and then: who is left with whom, what the two agents are and were, and what
 * app_queue has written. A, an agent, has the customer C, and asks B, an agent of another group.
 */
export async function threeParties(t: Test, lanes: Lanes): Promise<void> {
  const outside = await Promise.all(lanes.map(() => PortBlock.reserve('phone')));
  const voices = await Voices.of(t, 'A', 'B', 'C');
  const settings = { wrapUp: 'answer', wrapUpSeconds: 1, missedLimit: 0, directCalls: 'wrap-up' };
  /** Agent 1001 of lane 0 at 5001, and whom they ask, 1011 at 5011; and so on. */
  const team = crowd(14, {
    groups: lanes.map((_, lane) => ({
      name: `group${lane}`,
      ...settings,
      conferenceEnd: ending.includes(lane),
    })),
  });
  const laneOf = (number: string): number => (Number(number.slice(2)) - 1) % 10;
  const isOurs = ({ number }: { number: string }): boolean => laneOf(number) < lanes.length;
  const centre = await centreOf(
    t,
    {
      ...team,
      extensions: team.extensions.filter(isOurs),
      groups: [...team.groups, { name: 'others', ...settings }],
      agents: team.agents.filter(isOurs).map((agent) => ({
        ...agent,
        groups: [Number(agent.number) > 1010 ? 'others' : `group${laneOf(agent.number)}`],
      })),
      dids: lanes.flatMap((_, lane) => [
        { number: `60010${lane}`, to: `group:group${lane}` },
        { number: `60020${lane}`, to: `extension:500${lane + 1}` },
      ]),
    },
    {
      asterisk: {
        extra: {
          'pjsip.conf': outside
            .map(({ first }, lane) => trunkSection(`provider.${lane}`, `127.0.0.9${lane}`, first))
            .join('\n'),
        },
      },
      provision: async (db) => {
        await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.3', country: 'DE' });
        await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
      },
    },
  );
  const { asterisk, db } = centre;
  const is = { A: await voices.phoneOf('A'), B: await voices.phoneOf('B'), C: await voices.phoneOf('C') };

  await t.test('every order in which two of three hang up', async (t) => {
    await Promise.all(
      lanes.map(async (rows, lane) => {
        const [a, b] = [`100${lane + 1}`, `101${lane + 1}`];
        const phones: Record<Party, Phone> = {
          A: await centre.phone(`5${a.slice(1)}`, is.A),
          B: await centre.phone(`5${b.slice(1)}`, is.B),
          C: await Phone.start({
            ...{
              user: lane === 3 ? '+4915112345678' : `493055${lane}`,
              server: asterisk.sip,
              ...is.C,
            },
            // The customer of the last lane is whom the provider calls.
            ...(lane === 3
              ? { address: `127.0.0.9${lane}`, ports: outside[lane] }
              : { address: '127.0.0.99' }),
          } as Parameters<typeof Phone.start>[0]),
        };
        centre.phones.push(phones.C);
        for (const agent of [a, b])
          await signInAgent(db, 'astercc', agent, { extension: `5${agent.slice(1)}`, by: 'test' });
        await Promise.all([a, b].map((agent) => waitKnown(centre, `5${agent.slice(1)}`)));
        for (const row of rows) await play(t, row, lane, [a, b], phones);
      }),
    );
  });

  await t.test('nothing is left over', async (t) => {
    await until('no channel to be left', async () =>
      /^(PJSIP|Local)\/(?!watch@)/m.test(await asterisk.console('core show channels concise'))
        ? undefined
        : true,
    );
    for (const [table, column] of [
      ['calls', 'ended_at'],
      ['queue_visits', 'left_at'],
      ['offers', 'ended_at'],
      ['holds', 'ended_at'],
    ] as const)
      await until(`no row of ${table} to be open`, async () =>
        (await db(table).whereNull(column)).length === 0 ? true : undefined,
      );
    await noWarnings(t, asterisk);
  });

  /** Their state tells first that it rings: what could not be written in time nobody writes once it is picked up. */
  async function pickUp(phone: Phone, agent: string): Promise<void> {
    await phone.incoming();
    await waitState(centre, agent, 'ringing');
    await phone.answer();
    await phone.established();
  }

  /** One row: the call, the question, the first who hangs up, the second, and what was written. */
  async function play(
    t: Test,
    { kind, phase, first, second }: ThreeParties,
    lane: number,
    [a, b]: [string, string],
    phones: Record<Party, Phone>,
  ): Promise<void> {
    const name = `${kind}, ${phase}: ${first} before ${second}`;
    const { A, B, C } = phones;
    const before = [(await statesOf(centre, a)).length, (await statesOf(centre, b)).length] as const;
    const logged = (await asterisk.queueLog()).length;
    if (kind === 'outbound') {
      await A.dial('0015112345678');
      await C.incoming();
      await C.answer();
      await A.established();
    } else {
      await C.dial(kind === 'direct' ? `60020${lane}` : `60010${lane}`);
      await pickUp(A, a);
      if (kind === 'direct') await C.established();
    }
    await voices.talk(['A', A], ['C', C]);
    await A.digits(`*25${b.slice(1)}`);
    if (phase === 'rings') await B.incoming();
    else {
      await pickUp(B, b);
      await voices.talk(['A', A], ['B', B]);
      await voices.hears(C, 'music');
      if (phase === 'three') {
        await A.digits('*3');
        await Promise.all([voices.hears(A, 'B', 'C'), voices.hears(B, 'A', 'C'), voices.hears(C, 'A', 'B')]);
      } else if (phase === 'given') await A.digits('*6');
    }
    if (phase !== 'given') await waitState(centre, a, 'talking');

    if (phase !== 'given') await phones[first].hangup();
    await phones[first].closed();
    // The question is over with the customer, while it rings.
    if (phase === 'rings' && first === 'C') await Promise.all([A.closed(), B.closed()]);
    else if (ending.includes(lane) && phase === 'three' && first === 'A')
      await Promise.all([B.closed(), C.closed()]);
    else {
      if (phase === 'rings' && first === 'A') {
        await waitState(centre, b, 'ringing');
        await B.answer();
        await B.established();
      }
      const [one, other] = (['A', 'B', 'C'] as const).filter((party) => party !== first);
      if (one === undefined || other === undefined) throw new Error('nobody is left');
      await voices.talk([one, phones[one]], [other, phones[other]]);
      await phones[second].hangup();
      await Promise.all([phones[one].closed(), phones[other].closed()]);
    }

    const talked = ['ringing', 'talking', 'wrap-up', 'idle'];
    await sameStates(
      t,
      centre,
      a,
      before[0],
      kind === 'outbound' ? talked.slice(1) : talked,
      `${name}: A was in wrap-up once, after the call`,
    );
    await sameStates(
      t,
      centre,
      b,
      before[1],
      phase === 'rings' && first !== 'A' ? ['ringing', 'idle'] : talked,
      `${name}: B was in wrap-up, having talked`,
    );
    const completed = async (): Promise<string[]> =>
      (await asterisk.queueLog())
        .slice(logged)
        .map((line) => line.split('|'))
        .filter(
          ([, , queue, , event = '']) => queue === `astercc-group${lane}` && /COMPLETE|TRANSFER/.test(event),
        )
        .map(([, , , , event = '']) => event);
    const wanted = written({ kind, phase, first, second });
    await until(`${name}: queue_log`, async () =>
      (await completed()).length >= wanted.length ? true : undefined,
    );
    t.same(asWritten(wanted, await completed()), wanted, `${name}: queue_log`);
  }
}

/** What app_queue writes of the end of the talk with A. */
function written({ kind, phase, first, second }: ThreeParties): string[] {
  if (kind === 'direct' || kind === 'outbound') return [];
  if (phase === 'given' || (first === 'A' && (phase === 'asked' || phase === 'rings')))
    return ['ATTENDEDTRANSFER'];
  if (first === 'C') return ['COMPLETECALLER'];
  if (first === 'A') return ['COMPLETEAGENT'];
  return [second === 'A' ? 'COMPLETEAGENT' : 'COMPLETECALLER'];
}
