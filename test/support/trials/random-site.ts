import type { Test } from 'tap';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { addRoom } from '../../../domain/provisioning/features/room.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addUserGroup } from '../../../domain/provisioning/people/user-group.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import type { Centre } from '../../../lab/centre.js';
import { Phone } from '../../../lab/phone.js';
import { crowd, provision } from '../../../lab/provision.js';
import { centreOf, needLab, waitState } from '../centre.js';
import { Voices } from '../phones/in-call.js';
import type { Keys } from '../phones/keying-phone.js';
import { trunkSection } from '../phones/telephone.js';

const telephone = '+4915112345678';
/** Somebody outside who is called, a number that is refused, and one that nobody has. */
const outside = { somebody: '001519999999', refused: '000441234567', nobody: '5999' };

/** Whom everybody may ask, or send a customer to. */
export const numbers = [
  ...['5001', '5002', '5003', '5004', '5005', '5006', '*51002', '7000', '7001', '6000', '6001', '801'],
  ...Object.values(outside),
];

const signedIn: Record<string, string[]> = {
  '1001': ['support'],
  '1002': ['support', 'sales'],
  '1003': ['sales'],
  '1004': ['support'],
};

/** People at phones of a team, somebody at a telephone outside, and customers, each with a voice that is always heard. */
export class RandomSite {
  private constructor(
    readonly centre: Centre,
    /** Those who take calls, call, and key. */
    readonly keying: { name: string; phone: Phone; keys: Keys }[],
    readonly customers: Phone[],
    /** `address:port` of the telephone outside at which an agent is. */
    readonly mobilePlace: string,
  ) {}

  /** All who are signed in. */
  readonly agents = [...Object.keys(signedIn), '2001'];

  static async start(t: Test, customers: number): Promise<RandomSite> {
    await needLab(t);
    const voices = await Voices.of(t, 'agent', 'outside', 'customer');
    const ports = { mobile: await PortBlock.reserve('phone'), outside: await PortBlock.reserve('phone') };
    const settings = {
      wrapUp: 'answer',
      wrapUpSeconds: 2,
      ringSeconds: 4,
      missedLimit: 0,
      directCalls: 'wrap-up',
    };
    const team = crowd(6, {
      groups: [
        { name: 'support', number: '6000', ...settings },
        { name: 'sales', number: '6001', ...settings },
      ],
    });
    const centre = await centreOf(
      t,
      {
        ...team,
        agents: team.agents.slice(0, 4).map((agent) => ({ ...agent, groups: signedIn[agent.number] ?? [] })),
      },
      {
        asterisk: {
          extra: {
            'pjsip.conf':
              trunkSection('provider.1', '127.0.0.97', ports.mobile.first) +
              trunkSection('provider.2', '127.0.0.96', ports.outside.first),
          },
        },
        provision: async (db) => {
          await addTrunk(db, 'astercc', { name: 'mobile', endpoint: 'provider.1', country: 'DE' });
          await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.2', country: 'DE' });
          await setTeam(db, 'astercc', { trunk: 'mobile', outsidePrefix: '0', country: 'DE', area: '30' });
          await addUserGroup(db, 'astercc', {
            name: 'everybody',
            trunk: 'provider',
            users: { add: ['crowd'] },
          });
          await addExtension(db, 'astercc', { number: '7000', user: 'crowd', kind: 'external', telephone });
          await addRingGroup(db, 'astercc', { number: '7001', members: ['5005', '5006'], ringSeconds: 4 });
          await addRoom(db, 'astercc', { number: '801', music: true });
          await provision(db, {
            ...{ team: 'astercc', users: [], extensions: [], agents: [] },
            groups: [{ name: 'outdoors', ...settings }],
            dids: [
              { number: '600101', to: 'group:sales' },
              { number: '600200', to: 'group:outdoors' },
              { number: '600500', to: 'extension:5005' },
              { number: '600700', to: 'ring-group:7001' },
            ],
          });
          const fixed = { kind: 'fixed', extension: '7000' };
          await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['outdoors'], ...fixed });
        },
      },
    );
    const server = centre.asterisk.sip;
    const speak = {
      agent: await voices.speak('agent'),
      outside: await voices.speak('outside'),
      customer: await voices.speak('customer'),
    };
    const started = async (options: Parameters<typeof Phone.start>[0]): Promise<Phone> => {
      const phone = await Phone.start(options);
      centre.phones.push(phone);
      return phone;
    };
    const at = ports;
    const mobile = await started({
      ...{ user: telephone, address: '127.0.0.97', ports: at.mobile, server, speak: speak.agent },
    });
    await started({
      ...{ user: 'somebody', address: '127.0.0.96', ports: at.outside, server, speak: speak.outside },
      mode: 'auto',
    });
    const inside = ['5001', '5002', '5003', '5004', '5005'];
    const phones = await Promise.all(
      inside.map((extension) => centre.phone(extension, { speak: speak.agent })),
    );
    await centre.phone('5006', { speak: speak.agent, mode: 'auto' });
    const callers = await Promise.all(
      Array.from({ length: customers }, (_, index) =>
        started({
          ...{ user: `493055${index}`, address: '127.0.0.99', server, speak: speak.customer },
          jitterBuffer: false,
        }),
      ),
    );
    for (const agent of Object.keys(signedIn)) {
      await signInAgent(centre.db, 'astercc', agent, { extension: `5${agent.slice(1)}`, by: 'test' });
      await waitState(centre, agent, 'idle');
    }
    await waitState(centre, '2001', 'idle');
    const dials = [outside.somebody, outside.somebody, '5005', '5003', '6001', '801'];
    return new RandomSite(
      centre,
      [
        ...phones.map((phone, index) => ({
          name: inside[index] ?? '',
          phone,
          keys: { others: numbers, dials: index < 2 ? [] : dials, buttons: true },
        })),
        { name: 'mobile', phone: mobile, keys: { others: numbers, dials: [], buttons: false } },
      ],
      callers,
      `127.0.0.97:${ports.mobile.first}`,
    );
  }

  /** An agent as the wire and queue_log know their phone. */
  phoneOf(agent: string): string {
    return agent === '2001' ? 'Local/7000@astercc-telephones' : `PJSIP/astercc-5${agent.slice(1)}`;
  }

  /** The offers of queues to phones, by Asterisk's own log: each a moment before its INVITE, in seconds since 1970. */
  async offers(): Promise<{ phone: string; at: number }[]> {
    const line =
      /^\[([-0-9]+) ([0-9:.]+)\].* Executing \[s@star64-offer:1\] \w+\("((?:PJSIP\/[^-]+-\d+)|(?:Local\/[^-]+-telephones))-/;
    return (await this.centre.asterisk.verbose.lines()).flatMap((text) => {
      const [, day, time, phone = ''] = line.exec(text) ?? [];
      return day === undefined ? [] : [{ phone, at: new Date(`${day}T${time ?? ''}`).getTime() / 1000 }];
    });
  }
}
