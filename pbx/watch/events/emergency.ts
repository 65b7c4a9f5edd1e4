import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../../domain/database/pool.js';
import type { AmiMessage } from '../../ami/message.js';
import { phonesAt } from '../../queue/phones.js';

/** How long the log waits for the database to say where the phone is. */
const patienceMs = 1000;

interface Place {
  extension: string;
  location: string | null;
  user: string;
}

/**
 * Says in the log that a phone calls an emergency number, and where that phone is. It takes the word of Asterisk as it
 * comes, whichever server leads and whether PostgreSQL answers or not: the durable record is made elsewhere.
 */
export class EmergencyCalls {
  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly log: Logger,
  ) {}

  /** Takes one event; others than that one are passed over. Never throws. */
  take({ name, headers }: AmiMessage): void {
    if (name !== 'UserEvent' || headers.get('userevent') !== 'Star64Emergency') return;
    const told = {
      team: headers.get('team') ?? '',
      phone: headers.get('phone') ?? '',
      number: headers.get('number') ?? '',
      call: headers.get('call') ?? '',
    };
    void this.#say(told);
  }

  async #say(told: Record<'team' | 'phone' | 'number' | 'call', string>): Promise<void> {
    const place = await Promise.race([
      this.#placeOf(told.team, told.phone).catch(() => undefined),
      sleep(patienceMs, undefined, { ref: false }),
    ]);
    this.log.error(
      { ...told, extension: null, location: null, user: null, ...place },
      'an emergency number is called',
    );
  }

  async #placeOf(team: string, endpoint: string): Promise<Place | undefined> {
    const device = `PJSIP/${endpoint}`;
    const phone = (await phonesAt(this.db, this.node, [device])).get(device);
    if (!phone || phone.team !== team) return undefined;
    return await this.db('extensions as x')
      .join('teams as t', 't.id', 'x.team_id')
      .join('users as u', 'u.id', 'x.user_id')
      .where({ 't.identity': team, 'x.number': phone.extension })
      .whereNull('x.removed_at')
      .first<Place | undefined>('x.number as extension', 'x.location', 'u.name as user');
  }
}
