import type { Test } from 'tap';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import type { Database } from '../../../domain/database/pool.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import type { Centre } from '../../../lab/centre.js';
import { Phone } from '../../../lab/phone.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { crowd, provision } from '../../../lab/provision.js';
import { centreOf, needLab } from '../centre.js';
import { callIn, trunkSection } from './telephone.js';

/** The number of both telephones. */
export const number = '+4915112345678';
/** The queues of the agent at the telephone of team astercc. */
export const queues = ['astercc-support', 'astercc-sales'] as const;
const features = ['sign-in', 'sign-out', 'ready', 'status'] as const;
/** The DID of a feature, of team astercc (0) or b2 (1). */
export const didOf = (feature: (typeof features)[number], team = 0): string =>
  `6001${team}${features.indexOf(feature)}`;

export interface TelephoneCentre {
  centre: Centre;
  /** The telephone of agent 2001 of team astercc, who signs in there, behind the trunk provider.1. */
  mobile: Phone;
  /** That of agent 2001 of team b2, who is fixed there, behind the trunk provider.2. */
  other: Phone;
  signIn: () => Promise<void>;
  /** A customer who calls a team. */
  customer: (to?: string) => Promise<Caller>;
}

/** Two teams, each with an agent at a telephone outside, that listens where pjsip.conf says. */
export async function telephoneCentre(t: Test): Promise<TelephoneCentre> {
  await needLab(t);
  const providers = [
    { endpoint: 'provider.1', address: '127.0.0.97', ports: await PortBlock.reserve('phone') },
    { endpoint: 'provider.2', address: '127.0.0.96', ports: await PortBlock.reserve('phone') },
  ] as const;
  const groups = [
    { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 2, missedLimit: 0 },
    { name: 'sales', number: '6001', wrapUp: 'ring', wrapUpSeconds: 0, ringSeconds: 5, missedLimit: 0 },
  ];
  const centre = await centreOf(t, crowd(1, { groups, did: '600900' }), {
    asterisk: {
      extra: {
        'pjsip.conf': providers
          .map(({ endpoint, address, ports }) => trunkSection(endpoint, address, ports.first))
          .join('\n'),
      },
    },
    provision: async (db) => {
      await provision(db, crowd(1, { team: 'b2', groups, did: '600901' }));
      await addTrunk(db, null, { name: 'lab', endpoint: 'lab-trunk' });
      await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1', trusted: true });
      await addTrunk(db, 'b2', { name: 'provider', endpoint: 'provider.2', trusted: true });
      await addTelephone(db, 'astercc', { agent: '2001', extension: '7000' }, 0);
      await addTelephone(db, 'b2', { agent: '2001', extension: '7000', kind: 'fixed' }, 1);
    },
  });
  const server = centre.asterisk.sip;
  const mobiles = await Promise.all(
    providers.map(async ({ address, ports }) => {
      const phone = await Phone.start({ user: number, address, ports, server });
      t.teardown(() => phone.stop());
      return phone;
    }),
  );
  const [mobile, other] = mobiles as [Phone, Phone];
  return {
    centre,
    mobile,
    other,
    signIn: () =>
      callIn(centre, mobile, 'provider.1', didOf('sign-in'), ['agent-user', '2001#'], ['agent-loginok']),
    customer: (to = '600900') => Caller.call({ from: '4930123', to, server }),
  };
}

async function addTelephone(
  db: Database,
  team: string,
  { agent, extension, kind }: { agent: string; extension: string; kind?: string },
  index: number,
): Promise<void> {
  await setTeam(db, team, { trunk: 'provider' });
  await addExtension(db, team, { number: extension, user: 'crowd', kind: 'external', telephone: number });
  const groups = ['support', 'sales'];
  await addAgent(db, team, { number: agent, user: 'crowd', groups, ...(kind && { kind, extension }) });
  for (const feature of features)
    await addDid(db, team, { number: didOf(feature, index), to: `feature:${feature}` });
}

/** How often a phone has rung. */
export const rings = (phone: Phone): number =>
  phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;
