import type { Database } from '../../../domain/database/pool.js';
import { endOffer } from '../../../domain/presence/agent-state.js';
import { deviceOf, memberOf, queueOf, type PhoneName } from '../../queue/names.js';
import { phonesAt } from '../../queue/phones.js';
import type { QueueMembership } from '../../queue/membership.js';
import type { Member } from '../../queue/status.js';
import { inPortions } from '../loops/in-portions.js';
import type { Snapshot } from './snapshot.js';
import type { SignedInPhone } from './signed-in-phones.js';
import type { Mendable, Step } from './step.js';

/** Queue members are those who are signed in, in the queues of their groups, and nobody else. */
export class CompareMembers implements Step<Mendable> {
  readonly name = 'queue members';

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly membership: QueueMembership,
  ) {}

  async compare({ members, offers, live, signedIn, queues }: Snapshot): Promise<Mendable[]> {
    const phones = await signedIn();
    const ours = await queues();
    const byDevice = new Map<string, Member[]>();
    for (const member of members) {
      if (!ours.has(member.queue)) continue;
      byDevice.set(member.device, [...(byDevice.get(member.device) ?? []), member]);
    }
    const differences: Mendable[] = [];
    for (const phone of phones) {
      const at = byDevice.get(memberOf(phone)) ?? [];
      byDevice.delete(memberOf(phone));
      const inCall = offers.has(deviceOf(phone)) || live.has(phone.offerId ?? '');
      differences.push(...this.#queuesOf(phone, at, inCall));
    }
    const extra = await phonesAt(this.db, this.node, byDevice.keys());
    for (const [device, phone] of extra)
      differences.push(...this.#extra(device, phone, byDevice.get(device) ?? []));
    return differences;
  }

  async mend(differences: readonly Mendable[]): Promise<void> {
    await inPortions(differences, ({ mend }) => mend());
  }

  #queuesOf(phone: SignedInPhone, at: Member[], inCall: boolean): Mendable[] {
    const wanted = new Map(phone.groups.map(({ name, penalty }) => [queueOf(phone.team, name), penalty]));
    const wrong: string[] = [];
    for (const [queue, penalty] of wanted) {
      const member = at.find((one) => one.queue === queue);
      if (member?.name !== phone.agent || member.penalty !== penalty) wrong.push(queue);
    }
    const extra = at.filter(({ queue }) => !wanted.has(queue));
    if (wrong.length === 0 && extra.length === 0) return [];
    const key = `agent ${phone.team}/${phone.agent} in ${[...wrong, ...extra.map(({ queue }) => queue)].join(' ')}`;
    const mend = async (): Promise<void> => {
      // Gone from every queue, so Asterisk was restarted, and no call of this phone has survived that.
      if (at.length === 0 && !inCall) await endOffer(this.db, phone.signInId, phone.offerId);
      await this.membership.sync(phone, { thorough: true, seenIn: extra.map(({ queue }) => queue) });
    };
    return [{ key, mend }];
  }

  /** Members that nobody has signed in. Only devices of teams are ours to take away. */
  #extra(device: string, phone: PhoneName, at: Member[]): Mendable[] {
    const seenIn = at.map(({ queue }) => queue);
    const nobody = { ...phone, agentId: 0 };
    return [
      {
        key: `member ${device} of ${seenIn.join(' ')} is not signed in`,
        mend: () => this.membership.sync(nobody, { alone: true, seenIn }),
      },
    ];
  }
}
