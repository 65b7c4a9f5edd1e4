import type { Test } from 'tap';
import { Caller } from '../../../lab/caller.js';
import type { Centre } from '../../../lab/centre.js';
import type { Phone } from '../../../lab/phone.js';
import { ringsOf } from './ring-groups.js';

/**
 * Two ring groups and a queue on the phone of extension 5002 at the same moment, whose agent is in the queue: exactly one
 * rings, a ring group that does not is told busy, and the caller of the queue waits, and gets the phone when it is free.
 */
export async function trialsOnOnePhone(t: Test, centre: Centre, phone: Phone, trials: number): Promise<void> {
  const { asterisk } = centre;
  const dids = ['600708', '600709', '600100'];
  for (let trial = 1; trial <= trials; trial++) {
    const before = ringsOf(phone);
    // All have dialled before Asterisk, stopped meanwhile, reads any.
    asterisk.freeze();
    const callers = await Promise.all(
      dids.map((to) => Caller.call({ from: '4930555', to, server: asterisk.sip })),
    );
    for (const caller of callers) await caller.phone.event(/^CALL_LOCAL_SDP$/);
    asterisk.thaw();
    await phone.incoming();
    const [first, second, queued] = callers as [Caller, Caller, Caller];
    const ended = async (caller: Caller) => {
      const { param = '' } = await caller.phone.event(/^CALL_CLOSED$/);
      return { caller, param };
    };
    const isBusy = (param: string): void => {
      t.match(param, /^486 /, `trial ${trial}: told busy`);
    };
    // The one that rings ends later, when it is hung up.
    const { caller: busy, param } = await Promise.race([ended(first), ended(second)]);
    isBusy(param);
    const other = busy === first ? second : first;
    await phone.answer();
    await phone.established();
    t.equal(ringsOf(phone), before + 1, `trial ${trial}: rings once`);
    const { type } = await other.phone.event(/^CALL_(ESTABLISHED|CLOSED)$/);
    const won = type === 'CALL_ESTABLISHED';
    if (won) {
      await other.hangup();
      await phone.closed();
      // The one who waited in the queue.
      await phone.incoming();
      await phone.answer();
      await phone.established();
    } else {
      isBusy((await ended(other)).param);
      await other.phone.stop();
    }
    await busy.phone.stop();
    await queued.hangup();
    await phone.closed();
    t.comment(`trial ${trial}: ${won ? 'a ring group' : 'the queue'} rang first`);
  }
}
