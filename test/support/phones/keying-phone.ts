import { setTimeout as sleep } from 'node:timers/promises';
import type { Phone } from '../../../lab/phone.js';

/** Numbers that look random, and are the same for the same seed. */
export class Chance {
  #state: number;

  /** `which`: several of the same seed have nothing to do with each other. */
  constructor(seed: number, which: number) {
    this.#state = (Math.imul(seed + 1, 2_654_435_761) ^ Math.imul(which + 1, 40_503)) >>> 0;
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  of<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)] as T;
  }

  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }
}

/** What somebody at a phone may do. */
export interface Keys {
  /** Whom they ask, or send a customer to. */
  others: readonly string[];
  /** Whom they call by themselves; none: nobody. */
  dials: readonly string[];
  /** Whether the phone has buttons for hold and transfer. */
  buttons: boolean;
}

const most = 5;
/** How many times they look at the phone once it is over, until they are out of every call. */
const mostAfter = 40;

/**
 * Lets somebody take the calls at a phone, key what chance says in them and hang up, and call by themselves, as long as
 * `next` says that there is still one to be made; resolves when `over` is aborted and the phone is in no call.
 */
export async function atTheKeys(
  phone: Phone,
  { others, dials, buttons }: Keys,
  chance: Chance,
  next: () => boolean,
  over: AbortSignal,
): Promise<void> {
  let seen = phone.events.length;
  const open = new Map<string, 'rings' | 'talks'>();
  const untold = new Set<string>();
  const look = (): void => {
    for (let event = phone.events[seen]; event; event = phone.events[++seen]) {
      const { type, id = '' } = event;
      if (type === 'CALL_INCOMING') open.set(id, 'rings');
      else if (type === 'CALL_ESTABLISHED') open.set(id, 'talks');
      else if (type === 'CALL_CLOSED') open.delete(id);
      // From then on baresip tells nothing of that call, nor of its end.
      else if (type === 'TRANSFER_FAILED') untold.add(id);
    }
  };
  const talks = (): boolean => {
    look();
    return [...open.values()].includes('talks');
  };
  /** A call may be over at any moment, and then nothing can be done in it. */
  const may = async (action: () => Promise<void>): Promise<void> => {
    if (talks()) await action().catch(refused);
  };
  const key = (keys: string): Promise<void> =>
    may(async () => {
      for (const one of keys) if (talks()) await phone.digits(one);
    });

  /** Something that they do in a call; false: they have left it by that. */
  const move = async (): Promise<boolean> => {
    const number = chance.of(others);
    const chosen = chance.next();
    if (chosen < 0.4) {
      await key(`*2${number}`);
      await sleep(chance.between(200, 2500));
      const then = chance.of(['*3', '*3', '*4', '*5', '*6', '']);
      if (then !== '') await key(then);
      else if (chance.next() < 0.5) return false;
      await sleep(chance.between(100, 800));
    } else if (chosen < 0.5) await key(`*1${number}`);
    else if (chosen < 0.58 && buttons) await may(() => phone.transfer(number));
    else if (chosen < 0.68) {
      await key('*7');
      await sleep(chance.between(0, 1500));
      if (chance.next() < 0.8) await key('*7');
    } else if (chosen < 0.75 && buttons) {
      await may(() => phone.hold());
      await sleep(chance.between(0, 1000));
      await may(() => phone.resume());
    } else if (chosen < 0.8) await key('*9');
    else if (chosen < 0.85) await key('*8');
    else if (chosen < 0.88) await key('*0');
    else if (chosen < 0.93) await key(chance.of(['5', '*', '#', '*2', '*1', '*29', '**', '1234']));
    await sleep(chance.between(0, 700));
    return true;
  };

  for (let after = 0; ;) {
    look();
    if (open.size === 0 && over.aborted) return;
    if (over.aborted && ++after > mostAfter)
      throw new Error(`still in a call: ${JSON.stringify(phone.events.slice(-12))}`);
    if (talks()) {
      const moves = over.aborted ? 0 : chance.between(1, most);
      for (let made = 0; made < moves && talks(); made++) if (!(await move())) break;
      await may(() => phone.hangup());
      for (const id of untold) open.delete(id);
      await sleep(300);
    } else if (open.size > 0) {
      const chosen = chance.next();
      await sleep(chance.between(0, 500));
      look();
      if (chosen < 0.8) await phone.answer().catch(refused);
      else if (chosen < 0.9 && open.size > 0 && !talks()) await phone.hangup().catch(refused);
      // Or lets it ring.
      for (let looks = 0; looks < 100 && open.size > 0 && !talks(); looks++) await sleep(50);
      if (open.size > 0 && !talks()) await phone.hangup().catch(refused);
    } else if (dials.length > 0 && chance.next() < 0.03 && next()) {
      const from = phone.events.length;
      await phone.dial(chance.of(dials)).catch(refused);
      for (let looks = 0; looks < 120; looks++) {
        if (phone.events.slice(from).some(({ type }) => /^CALL_(ESTABLISHED|CLOSED)$/.test(type))) break;
        await sleep(50);
      }
      look();
      // Nobody has picked up for 6 s.
      if (!phone.events.slice(from).some(({ type }) => /^CALL_(ESTABLISHED|CLOSED)$/.test(type)))
        await phone.hangup().catch(refused);
    }
    await sleep(40);
  }
}

/** In this very moment the other side has hung up, and there was nothing to do. */
function refused(error: unknown): void {
  if (!(error instanceof Error) || !/ refused /.test(error.message)) throw error;
}
