import { pino } from 'pino';
import type { Test } from 'tap';
import type { Centre } from '../../../lab/centre.js';
import { Manager } from '../../../pbx/ami/manager.js';

/** The end of an offer as the dialplan tells it. */
export interface OfferEnd {
  /** The agent's phone as a queue member. */
  member: string;
  /** What its channel was in: `Up`, `Ringing`, `Down`. */
  state: string;
  /** Whether the caller was joined to it. */
  joined: boolean;
  /** Whether a wrap-up has begun. */
  wrapUp: boolean;
}

/** Watches until the test ends; the list returned grows with each end of an offer. */
export async function watchOfferEnds(t: Test, centre: Centre): Promise<OfferEnd[]> {
  const manager = new Manager(
    { ...centre.asterisk.ami, events: ['UserEvent'], eventClasses: ['user'] },
    pino({ enabled: false }),
  );
  const ends: OfferEnd[] = [];
  manager.on('event', ({ headers }) => {
    if (headers.get('userevent') !== 'Star64OfferEnd') return;
    ends.push({
      member: headers.get('member') ?? '',
      state: headers.get('state') ?? '',
      joined: headers.get('joined') === 'yes',
      wrapUp: headers.get('wrapup') === 'yes',
    });
  });
  manager.start();
  t.teardown(() => manager.stop());
  await manager.whenUp(30_000);
  return ends;
}
