import { isDeepStrictEqual } from 'node:util';
import { Caller } from '../../lab/caller.js';
import type { Centre } from '../../lab/centre.js';
import type { Phone } from '../../lab/phone.js';
import { until } from '../../domain/machine/processes.js';

/** A customer who dials a DID; he is gone at the end of the test at the latest. */
export async function callIn(centre: Centre, to = '600100'): Promise<Caller> {
  const caller = await Caller.call({ from: '4930555', to, server: centre.asterisk.sip });
  centre.phones.push(caller.phone);
  return caller;
}

/** A call as the database has it. */
export interface CallRow {
  outcome: string | null;
  /** Number of the agent who answered first. */
  agent: string | null;
  did: string | null;
  open: boolean;
}

/** A call by the uniqueid of the caller's channel. */
async function readCall(centre: Centre, uniqueid: string): Promise<CallRow | undefined> {
  const { rows } = await centre.db.raw<{ rows: CallRow[] }>(
    `select c.outcome, a.number as agent, c.did, c.ended_at is null as open
     from calls c left join lateral (
       select agent_id from queue_visits v where v.call_id = c.id and v.answered_at is not null order by v.id limit 1
     ) v on true left join agents a on a.id = v.agent_id where c.uniqueid = ?`,
    [uniqueid],
  );
  return rows[0];
}

/** Waits until the database has the call as this; the rest of its row may be anything. */
export async function waitCall(
  centre: Centre,
  uniqueid: string,
  wanted: Partial<CallRow>,
  deadlineMs = 30_000,
): Promise<void> {
  await until(
    `the call ${uniqueid} to be ${JSON.stringify(wanted)}`,
    async () => {
      const row = await readCall(centre, uniqueid);
      return row !== undefined && isDeepStrictEqual({ ...row, ...wanted }, row) ? true : undefined;
    },
    deadlineMs,
  );
}

/** Waits until the database has the agent talking in this call. */
export async function waitTalking(
  centre: Centre,
  agent: string,
  uniqueid: string,
  deadlineMs = 30_000,
): Promise<void> {
  await until(
    `agent ${agent} to be talking in ${uniqueid}`,
    async () => {
      const { rows } = await centre.db.raw<{ rows: unknown[] }>(
        `select 1 from agent_states s join agents a on a.id = s.agent_id
         where s.ended_at is null and s.state = 'talking' and a.number = ? and s.call_uniqueid = ?`,
        [agent, uniqueid],
      );
      return rows.length === 1 ? true : undefined;
    },
    deadlineMs,
  );
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
    private readonly caller: Caller,
    private readonly phone: Phone,
    private readonly channels: readonly Channel[],
    private readonly from: number,
  ) {}

  /** A customer calls, the phone rings and is answered. */
  static async begin(centre: Centre, phone: Phone, to?: string): Promise<Conversation> {
    const from = await centre.asterisk.verbose.mark();
    return this.answer(centre, phone, await callIn(centre, to), { from });
  }

  /**
   * The phone rings for a customer who has called, at last, and is answered: `from` a place in Asterisk's log before it rings, not
   * before Asterisk has seen that it does.
   */
  static async answer(
    centre: Centre,
    phone: Phone,
    caller: Caller,
    { deadlineMs = 30_000, from }: { deadlineMs?: number; from?: number } = {},
  ): Promise<Conversation> {
    await phone.incoming(deadlineMs);
    if (from !== undefined) await centre.asterisk.waitRings(phone.user, from);
    await phone.answer();
    await phone.established();
    return new Conversation(centre, caller, phone, await readChannels(centre), phone.events.length);
  }

  /** Uniqueid of the call: of the caller's channel, as the only one that stands in a queue. */
  get call(): string {
    return this.channels.find(({ application }) => application === 'Queue')?.uniqueid ?? '';
  }

  /** What has happened to it: nothing, if it is untouched. */
  async harm(): Promise<string[]> {
    const live = new Set((await readChannels(this.centre)).map(({ uniqueid }) => uniqueid));
    const gone = this.channels.filter(({ uniqueid }) => !live.has(uniqueid)).map(({ name }) => name);
    const closed = [...this.phone.events.slice(this.from), ...this.caller.phone.events].filter(
      ({ type }) => type === 'CALL_CLOSED',
    );
    return [...gone, ...closed.map(({ type }) => type)];
  }

  /** Both hang up, where they have not heard yet that it is over. */
  async drop(): Promise<void> {
    await this.caller.hangup();
    if (!this.phone.events.slice(this.from).some(({ type }) => type === 'CALL_CLOSED'))
      await this.phone.leave();
    await this.phone.closed();
  }

  /** The customer hangs up. */
  async end(): Promise<void> {
    await this.caller.hangup();
    await this.phone.closed();
  }
}

interface Channel {
  name: string;
  application: string;
  uniqueid: string;
}

/** The channels of phones and callers that live. */
async function readChannels(centre: Centre): Promise<Channel[]> {
  const text = await centre.asterisk.console('core show channels concise');
  return text
    .split('\n')
    .map((line) => line.split('!'))
    .map((fields) => ({ name: fields[0] ?? '', application: fields[5] ?? '', uniqueid: fields.at(-1) ?? '' }))
    .filter(({ name }) => name.startsWith('PJSIP/'));
}
