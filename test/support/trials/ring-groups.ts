import { isDeepStrictEqual } from 'node:util';
import { PortBlock } from '../../../domain/machine/ports.js';
import { until } from '../../../domain/machine/processes.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import type { Centre, CentreOptions } from '../../../lab/centre.js';
import { Phone } from '../../../lab/phone.js';
import { crowd, provision } from '../../../lab/provision.js';
import { trunkSection } from '../phones/telephone.js';

const address = '127.0.0.97';
const mobileNumber = '+4915112345678';

/** Ring groups of a small team: 5001 to 5005 are phones, 7000 is a telephone over the trunk. DID 600701 leads to 701. */
const ringGroups = [
  { number: '701', members: ['5001', '5002', '7000'], ringSeconds: 30 },
  {
    number: '702',
    strategy: 'in-order',
    members: ['5005', '5004', '5001', '5002'],
    ringSeconds: 3,
    noAnswer: 'hangup:rejected',
    allBusy: 'extension:5003',
  },
  { number: '703', strategy: 'round-robin', members: ['5001', '5002', '5003'], ringSeconds: 3 },
  {
    number: '704',
    strategy: 'in-order',
    members: [`outside:${mobileNumber}`, '5002'],
    ringSeconds: 20,
  },
  { number: '705', members: ['agent:1001', 'agent:1002'] },
  { number: '706', strategy: 'longest-idle', members: ['5003', '5002', '5001'] },
  { number: '707', strategy: 'fewest-calls', members: ['5001', '5002', '5003'] },
  { number: '708', members: ['5002'], prefix: 'Sales:', noAnswer: 'hangup:rejected', allBusy: 'hangup:busy' },
  {
    number: '709',
    strategy: 'in-order',
    members: ['5002'],
    noAnswer: 'hangup:rejected',
    allBusy: 'hangup:busy',
  },
];

/** A call centre with these ring groups, and the ports of the telephone behind its trunk. */
export async function ringGroupCentre({ wrapUp = 'answer' } = {}): Promise<{
  options: CentreOptions;
  ports: PortBlock;
}> {
  const ports = await PortBlock.reserve('phone');
  const options: CentreOptions = {
    asterisk: { extra: { 'pjsip.conf': trunkSection('provider.1', address, ports.first) } },
    provision: async (db) => {
      const groups = [{ name: 'support', number: '6000', wrapUp, ringSeconds: 60 }];
      await provision(db, crowd(5, { groups }));
      await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1' });
      await setTeam(db, 'astercc', { trunk: 'provider' });
      const telephone = { user: 'crowd', kind: 'external', telephone: mobileNumber };
      await addExtension(db, 'astercc', { number: '7000', ...telephone });
      for (const ringGroup of ringGroups) {
        await addRingGroup(db, 'astercc', ringGroup);
        await addDid(db, 'astercc', {
          number: `600${ringGroup.number}`,
          to: `ring-group:${ringGroup.number}`,
        });
      }
    },
  };
  return { options, ports };
}

/** The telephone behind the trunk: extension 7000, and the number outside of 704. */
export const startMobile = ({ asterisk }: Centre, ports: PortBlock): Promise<Phone> =>
  Phone.start({ user: mobileNumber, address, ports, server: asterisk.sip });

/** A customer who dials the DID of a ring group. */
export async function callRingGroup(centre: Centre, ringGroup: string): Promise<Caller> {
  const caller = await Caller.call({ from: '4930555', to: `600${ringGroup}`, server: centre.asterisk.sip });
  centre.phones.push(caller.phone);
  return caller;
}

/** How often a phone has rung. */
export const ringsOf = (phone: Phone): number =>
  phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;

/** A call to a ring group as the database has it. */
export interface RingGroupCall {
  outcome: string | null;
  ringGroup: string | null;
  /** Who answered: an extension, and the agent who was signed in there; or a number outside. */
  extension: string | null;
  agent: string | null;
  number: string | null;
}

/** Waits until the database has the last call as this; the rest of its row may be anything. */
export const lastCall = (centre: Centre, wanted: Partial<RingGroupCall>): Promise<RingGroupCall> =>
  until(`the last call to be ${JSON.stringify(wanted)}`, async () => {
    const { rows } = await centre.db.raw<{ rows: RingGroupCall[] }>(
      `select c.outcome, r.number as "ringGroup", x.number as extension, a.number as agent, c.answered_number as number
       from calls c left join ring_groups r on r.id = c.ring_group_id
       left join extensions x on x.id = c.answered_extension_id left join agents a on a.id = c.answered_agent_id
       order by c.id desc limit 1`,
    );
    return isDeepStrictEqual({ ...rows[0], ...wanted }, rows[0]) ? rows[0] : undefined;
  });
