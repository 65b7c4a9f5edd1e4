import { setTimeout as sleep } from 'node:timers/promises';
import type { ClaimedCommand } from '../domain/calls/commands/call-commands.js';
import { beginClick, clickOver, clickRings, clickUniqueid } from '../domain/calls/commands/click-records.js';
import { clickTarget, insideNumber, type ClickTarget } from '../domain/calls/commands/click-target.js';
import type { Outbound } from '../domain/calls/outbound/outbound-memory.js';
import { noTurns } from '../domain/calls/outbound/ways-out.js';
import type { Database } from '../domain/database/pool.js';
import { Star64Error, type ErrorCode } from '../domain/errors.js';
import type { PhoneName } from '../domain/presence/phone.js';
import { AmiError } from './ami/errors.js';
import type { AmiHeaders } from './ami/syntax.js';
import type { ManagerActions } from './ami/manager.js';
import { deviceOf } from './queue/names.js';
import { Refused } from './refused.js';

export interface ClickSettings {
  /** How long the agent's phone rings. */
  ringMs: number;
  /** How often is looked whether the phone is reserved, and whether it rings, and for how long. */
  lookMs: number;
  reserveMs: number;
  watchMs: number;
}

/** Takes what is to be done when who gave a command has its answer. */
export type Later = (work: () => Promise<void>) => void;

/** A phone that nobody else rings as long as the channel `by` is there. */
interface Kept {
  device: string;
  extension: string;
  by: string;
}

/** What a phone shows that is rung, and what its channel is given. */
interface Rings {
  CallerID: string;
  Variable: Readonly<Record<string, string>>;
}

const inUse = (extension: string): Refused =>
  new Refused(`the phone of extension ${extension} rings, or is in a call`, 'in_call');

export const clickDefaults: ClickSettings = { ringMs: 30_000, lookMs: 50, reserveMs: 2000, watchMs: 5000 };

/** Numbers that a phone of the team may be sent to: a feature code is another function, and none of a call's. */
const callable = ['extension', 'queue', 'ring-group', 'room'];

/** By these a phone that can picks up by itself (RFC 3261 Call-Info, and what Yealink, Snom, Grandstream and Polycom know). */
const picksUp = {
  'PJSIP_HEADER(add,Call-Info)': '<sip:star64>;answer-after=0',
  'PJSIP_HEADER(add,Alert-Info)': '<http://star64>;info=alert-autoanswer',
};

/**
 * Rings a phone for a command, and has Asterisk go on with it once it is picked up. Whatever may stand against it is asked
 * before anything rings; one phone has one call (star64-click.conf).
 */
export class Clicks {
  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly manager: ManagerActions,
    private readonly outbound: Outbound | undefined,
    private readonly settings: ClickSettings = clickDefaults,
  ) {}

  /**
   * Rings the agent's phone. `later` is given what is still to be looked at afterwards, for which nobody waits.
   * @throws Refused: nothing rings; AmiError when Asterisk says nothing, and then nobody knows: `later` finds it.
   */
  async originate(command: ClaimedCommand, later: Later): Promise<void> {
    const { team, id, arguments: given } = command;
    const { agent = '', to = '' } = given;
    const autoAnswer = given['auto_answer'] === 'yes';
    const target = await refusedAs(() => clickTarget(this.db, team, agent, { autoAnswer }));
    const { exten, dialled, inside } = await this.#right(target, to);
    const kept = await this.#reserve(target, clickUniqueid(id));
    const begun = await beginClick(this.db, target, {
      command: id,
      node: this.node,
      dialled,
      inside,
      autoAnswer,
      by: command.givenBy,
    });
    if (!begun) throw new Refused('they have signed out, or are in a call since a moment ago', 'in_call');
    const channel = clickUniqueid(id);
    try {
      await this.#ring(kept, channel, 'answered', {
        // What the phone shows.
        CallerID: `"${to}" <${to}>`,
        Variable: {
          STAR64_CLICK_TEAM: team,
          STAR64_CLICK_FROM: target.extension,
          STAR64_CLICK_TO: exten,
          STAR64_AGENT_CALL: `${inside ? 'internal' : 'out'}|called`,
          ...(autoAnswer && picksUp),
        },
      });
    } catch (error) {
      if (error instanceof Refused)
        await clickOver(this.db, this.node, channel, error.code === 'in_call' ? 'busy' : 'unreachable');
      else later(() => this.#watch(channel));
      throw error;
    }
    later(() => this.#watch(channel));
  }

  /** Whether the number may be called, decided as for one that they dial; and what their phone would dial for it. */
  async #right(
    target: ClickTarget,
    to: string,
  ): Promise<{ exten: string; dialled: string; inside: boolean }> {
    const { team } = target;
    const kind = await insideNumber(this.db, team, to);
    if (kind !== undefined && callable.includes(kind)) {
      if (to === target.extension)
        throw new Refused(`${to} is their own phone`, 'call_not_allowed', { reason: 'own-number' });
      return { exten: to, dialled: to, inside: true };
    }
    const endpoint = target.endpoint ?? `${team}-${target.extension}`;
    const decide = (dialled: string) =>
      this.outbound?.decide(
        team,
        { dialled, endpoint, hidden: false, instant: Date.now() },
        // Nobody's turn passes: it is decided again as the call goes out.
        { turns: noTurns },
      );
    const bare = (await decide(to))?.decision;
    if (bare?.class === 'emergency') {
      if (bare.go) return { exten: to, dialled: to, inside: false };
      throw notAllowed(to, bare.refused);
    }
    const prefix = this.outbound?.team(team)?.outsidePrefix ?? null;
    const outside = to.startsWith('+')
      ? to
      : prefix !== null && to.startsWith(prefix)
        ? to.slice(prefix.length)
        : '';
    if (outside === '' || kind !== undefined) throw notAllowed(to, 'number');
    const decision = (await decide(outside))?.decision;
    if (decision?.go !== true) throw notAllowed(to, decision?.refused ?? 'unknown');
    return { exten: `${prefix ?? ''}${outside}`, dialled: outside, inside: false };
  }

  /**
   * Has the phone counted as rung before it is, for 3 s.
   * @throws Refused where it is no SIP phone, cannot be reached, rings or talks.
   */
  async #reserve(phone: PhoneName, by: string): Promise<Kept> {
    const device = deviceOf(phone);
    if (phone.extensionKind === 'external')
      // Its line over a trunk is no phone of the team: no right, payer or agent's call would be known by it (star64-out).
      throw new Refused(
        `extension ${phone.extension} is a telephone outside, at which no call is started: that needs a SIP phone`,
        'phone_is_telephone',
      );
    const state = await this.#value({ Variable: `DEVICE_STATE(${device})` });
    if (state === 'UNAVAILABLE' || state === 'INVALID')
      throw new Refused(`the phone of extension ${phone.extension} is not registered`, 'phone_unreachable');
    // What the operator's own endpoint does by itself need not be in the phone's group.
    if (phone.endpoint !== null && state !== 'NOT_INUSE') throw inUse(phone.extension);
    // Not behind `by`: Asterisk takes no id with which that of another channel begins.
    const second = `star64-keeps2-${by}`;
    await this.#originate({
      Channel: 'Local/reserve@star64-click/n',
      Application: 'Wait',
      Data: '1',
      Timeout: 5000,
      ChannelId: `star64-keeps1-${by}`,
      OtherChannelId: second,
      Async: true,
      Variable: { STAR64_CLICK_PHONE: device, STAR64_CLICK_CHANNEL: by },
    });
    const until = performance.now() + this.settings.reserveMs;
    for (;;) {
      const reserved = await this.#value({ Channel: second, Variable: 'STAR64_RESERVED' });
      if (reserved === 'free') return { device, extension: phone.extension, by: second };
      if (reserved === 'taken') throw inUse(phone.extension);
      if (performance.now() > until) throw new AmiError('timeout', 'a phone could not be reserved');
      await sleep(this.settings.lookMs);
    }
  }

  /** Reserves a phone and rings it. @throws as `originate`. */
  async ringFree(phone: PhoneName, channel: string, exten: string, more: Rings): Promise<void> {
    await this.#ring(await this.#reserve(phone, channel), channel, exten, more);
  }

  async #ring(
    { device, extension, by }: Kept,
    channel: string,
    exten: string,
    { CallerID, Variable }: Rings,
  ): Promise<void> {
    // It may have ended meanwhile, and somebody else have come.
    const count = await this.#value({ Channel: by, Variable: 'GROUP_COUNT(@star64)' });
    if (count !== '1') throw inUse(extension);
    await this.#originate({
      Channel: device,
      Context: 'star64-click',
      Exten: exten,
      Priority: 1,
      Timeout: this.settings.ringMs,
      ChannelId: channel,
      Async: true,
      CallerID,
      // The operator's own endpoint need not say it itself (set_var).
      Variable: { ...Variable, 'GROUP(star64)': device },
    });
  }

  /** Looks until the phone rings. Of an Originate Asterisk tells no ringing, and of one that makes no channel nothing at all. */
  async #watch(channel: string): Promise<void> {
    const until = performance.now() + this.settings.watchMs;
    let seen = false;
    let silent = false;
    while (performance.now() < until) {
      await sleep(this.settings.lookMs);
      let state;
      try {
        state = await this.#value({ Channel: channel, Variable: 'CHANNEL(state)' });
        silent = false;
      } catch (error) {
        if (!(error instanceof AmiError)) throw error;
        silent = true;
        continue;
      }
      if (state === 'Ringing') return clickRings(this.db, this.node, channel);
      // It has answered, or is gone: of that there is an event.
      if (state === 'Up' || (seen && state === undefined)) return;
      seen ||= state !== undefined;
    }
    // Of what Asterisk says nothing the reconciliation finds out.
    if (!seen && !silent) await clickOver(this.db, this.node, channel, 'unreachable');
  }

  /** A value of a channel, or of Asterisk; undefined: there is no such channel. */
  async #value(headers: { Channel?: string; Variable: string }): Promise<string | undefined> {
    try {
      return (await this.manager.action('Getvar', headers)).headers.get('value') ?? '';
    } catch (error) {
      if (error instanceof AmiError && error.code === 'rejected') return undefined;
      throw error;
    }
  }

  async #originate(headers: AmiHeaders): Promise<void> {
    try {
      await this.manager.action('Originate', headers);
    } catch (error) {
      if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
      if (/permission denied|invalid\/unknown command/i.test(error.message))
        throw new Refused(
          "star64's user of the manager lacks the class originate in write= of manager.conf",
          'manager_may_not',
          { class: 'originate' },
        );
      throw new Refused(`Asterisk refused: ${error.message}`, 'phone_unreachable');
    }
  }
}

const words: Readonly<Record<string, string>> = {
  class: 'nobody has opened its class of numbers to them',
  'work-mode': 'they only take calls: their work mode is inbound',
  hours: 'their user group calls out in other hours',
  limit: 'a limit is reached',
  'no-trunk': 'no trunk takes it',
  unknown: 'who is at the phone cannot be found out now',
  nobody: 'their phone is none of the team',
  number: 'their phone could not dial it',
};

const notAllowed = (to: string, reason: string): Refused =>
  new Refused(`may not call ${to}: ${words[reason] ?? reason}`, 'call_not_allowed', { number: to, reason });

/** An error of the domain, as what a command is refused with. */
export async function refusedAs<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Star64Error) || error.code === 'database_unreachable') throw error;
    throw new Refused(error.details.says.replace(/^agent [0-9]+ /, ''), error.code as ErrorCode);
  }
}
