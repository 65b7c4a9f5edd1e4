import { Caller } from '../../lab/caller.js';
import type { Centre } from '../../lab/centre.js';
import type { Phone } from '../../lab/phone.js';
import { until } from '../../lab/processes.js';

/** A customer who dials a DID; he is gone at the end of the test at the latest. */
export async function callIn(centre: Centre, to = '600100'): Promise<Caller> {
  const caller = await Caller.call({ from: '4930555', to, server: centre.asterisk.sip });
  centre.phones.push(caller.phone);
  return caller;
}

/** Answers the call that rings at the phone, now or soon. */
export async function pickUp(phone: Phone, deadlineMs = 20_000): Promise<void> {
  await phone.incoming(deadlineMs);
  await phone.answer();
  await phone.established();
}

/** The row of the call that came in last, with the number of the agent who answered. */
export async function lastCall(centre: Centre): Promise<{
  outcome: string | null;
  agent: string | null;
  did: string | null;
  open: boolean;
}> {
  const { rows } = await centre.db.raw<{ rows: Awaited<ReturnType<typeof lastCall>>[] }>(
    `select c.outcome, a.number as agent, c.did, c.ended_at is null as open
     from calls c left join agents a on a.id = c.agent_id order by c.id desc limit 1`,
  );
  return rows[0] ?? { outcome: null, agent: null, did: null, open: false };
}

/** Waits until the queue has so many waiting callers. */
export async function waitWaiting(centre: Centre, queue: string, count: number): Promise<void> {
  await until(`${count} callers in ${queue}`, async () => {
    const text = await centre.asterisk.console(`queue show ${queue}`);
    return text.includes(` has ${count} calls `) ? true : undefined;
  });
}

/** A conversation at a phone, to be seen untouched later: its channels still live, nobody's phone has hung up. */
export class Conversation {
  private constructor(
    private readonly centre: Centre,
    readonly caller: Caller,
    private readonly phone: Phone,
    private readonly channels: readonly string[],
    private readonly from: number,
  ) {}

  /** A customer calls, the phone rings and is answered. */
  static async begin(centre: Centre, phone: Phone, to?: string): Promise<Conversation> {
    const caller = await callIn(centre, to);
    await pickUp(phone);
    return new Conversation(centre, caller, phone, await channelsOf(centre), phone.events.length);
  }

  /** What has happened to it: nothing, if it is untouched. */
  async harm(): Promise<string[]> {
    const live = new Set(await channelsOf(this.centre));
    const gone = this.channels.filter((channel) => !live.has(channel));
    const closed = [...this.phone.events.slice(this.from), ...this.caller.phone.events].filter(
      ({ type }) => type === 'CALL_CLOSED',
    );
    return [...gone, ...closed.map(({ type }) => type)];
  }

  /** The customer hangs up. */
  async end(): Promise<void> {
    await this.caller.hangup();
    await this.phone.closed();
  }
}

/** Names of the channels that live. */
async function channelsOf(centre: Centre): Promise<string[]> {
  const text = await centre.asterisk.console('core show channels concise');
  return text
    .split('\n')
    .map((line) => line.split('!')[0] ?? '')
    .filter((name) => name.startsWith('PJSIP/'));
}
