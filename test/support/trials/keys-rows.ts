import type { Centre } from '../../../lab/centre.js';
import type { Phone } from '../../../lab/phone.js';
import { waitTold } from '../phones/in-call.js';

/** How A, an agent, and C, the customer, came together: A called C, C called the number of A, or a queue of A, who is outside. */
export const kinds = ['outbound', 'direct', 'telephone'] as const;
export type Kind = (typeof kinds)[number];
export type Party = 'A' | 'B' | 'C';

/** One kind of call: three phones, of which that of B is an agent's who is asked. */
export interface Lane {
  kind: Kind;
  asterisk: Centre['asterisk'];
  phones: Record<Party, Phone>;
  /** The agents at A and B, and their numbers; `brief` is a ring group of B alone, which soon gives up. */
  agents: { A: string; B: string };
  numbers: { A: string; B: string; brief: string };
  /** The queue that A is in, and the DID that leads to A. */
  group: string;
  did: string;
  hears: (who: Party, ...others: [Party | 'music', ...Party[]]) => Promise<void>;
  talk: (one: Party, other: Party) => Promise<void>;
  state: (who: 'A' | 'B', state: string) => Promise<void>;
  /** Waits until A has been in wrap-up since the row began: it lasts for a second. */
  wrappedUp: () => Promise<void>;
}

/** What is keyed in a call of A and C, and what becomes of it. */
export interface Row {
  name: string;
  /** Ends with everybody gone. */
  plays: (lane: Lane) => Promise<void>;
  /** What comes of each time that B is asked; `sent`: of a call that B is sent. */
  asked: readonly ('rejected' | 'missed' | 'cancelled' | 'answered' | 'sent')[];
  /** What app_queue writes of the end of A's talk, if the call is its. */
  logged: string;
  /** C comes back to A by A's queue, and hangs up then. */
  returns?: true;
}

/** A keys, and B rings. */
async function rings({ phones: { A, B } }: Lane, keys: string): Promise<void> {
  await A.digits(keys);
  await B.incoming();
}
/** A asks B, who answers. */
async function ask(lane: Lane): Promise<void> {
  await rings(lane, `*2${lane.numbers.B}`);
  await answers(lane, 'B');
  await lane.talk('A', 'B');
  await lane.hears('C', 'music');
}
/** A hears a prompt instead of whoever has this number, and is with C again. */
async function told(lane: Lane, prompt: string, number: string, from: number): Promise<void> {
  await waitTold(lane, prompt, from, number);
  await lane.talk('A', 'C');
}
/**
 * An agent whose phone rings picks it up. Their state tells first that it rings: if it could not be written in time, the
 * reconciliation does it, but not of a phone that has been picked up meanwhile.
 */
export async function answers({ phones, state }: Lane, who: 'A' | 'B'): Promise<void> {
  await state(who, 'ringing');
  await phones[who].answer();
  await phones[who].established();
}
/** B and C are left, and one of them hangs up. */
async function left(lane: Lane, first: 'B' | 'C'): Promise<void> {
  const { A, B, C } = lane.phones;
  await A.closed();
  await lane.talk('B', 'C');
  await lane.phones[first].hangup();
  await Promise.all([B.closed(), C.closed()]);
}
/** B says no, and C comes back to A by the queue of A's group, once A's wrap-up is over. */
async function returns(lane: Lane): Promise<void> {
  const { A, B, C } = lane.phones;
  await A.closed();
  await lane.wrappedUp();
  await B.hangup();
  await A.incoming();
  await answers(lane, 'A');
  await lane.talk('A', 'C');
  await C.hangup();
  await A.closed();
}

/** Whoever is asked does not come, or is gone again: A and C talk. Then C is gone. */
export const back: readonly Row[] = [
  {
    name: 'busy, nobody answers, taken back, nobody has the number',
    asked: ['rejected', 'missed', 'cancelled'],
    logged: 'COMPLETECALLER',
    plays: async (lane) => {
      const { A, B, C } = lane.phones;
      const { verbose } = lane.asterisk;
      const { B: number, brief } = lane.numbers;
      let from = await verbose.mark();
      await rings(lane, `*2${number}`);
      await lane.state('B', 'ringing');
      await lane.hears('C', 'music');
      await B.hangup();
      await told(lane, 'vm-isonphone', number, from);
      await lane.state('B', 'idle');
      from = await verbose.mark();
      await rings(lane, `*2${brief}`);
      await told(lane, 'vm-nobodyavail', brief, from);
      await B.closed();
      await lane.state('B', 'idle');
      await rings(lane, `*2${number}`);
      await A.digits('*4');
      await B.closed();
      await lane.talk('A', 'C');
      from = await verbose.mark();
      await A.digits('*25999');
      const channel = lane.kind === 'telephone' ? `Local/${lane.numbers.A}@` : `PJSIP/${A.user}-`;
      await verbose.waitFor(new RegExp(`<${channel}[^>]*> Playing 'pbx-invalid\\.`), from);
      await lane.talk('A', 'C');
      await lane.state('A', 'talking');
      await C.hangup();
      await A.closed();
    },
  },
  {
    name: 'changes sides, gives up; and then B hangs up',
    asked: ['answered', 'answered'],
    logged: 'COMPLETEAGENT',
    plays: async (lane) => {
      const { A, B, C } = lane.phones;
      await ask(lane);
      await A.digits('*5');
      await lane.talk('A', 'C');
      await lane.hears('B', 'music');
      await A.digits('*5');
      await lane.talk('A', 'B');
      await lane.hears('C', 'music');
      await A.digits('*4');
      await B.closed();
      await lane.talk('A', 'C');
      await lane.state('B', 'idle');
      await ask(lane);
      await B.hangup();
      await lane.talk('A', 'C');
      await lane.state('A', 'talking');
      await A.hangup();
      await C.closed();
    },
  },
  {
    name: 'C hangs up while A asks, and A and B talk on',
    asked: ['answered'],
    logged: 'COMPLETECALLER',
    plays: async (lane) => {
      const { A, B, C } = lane.phones;
      await ask(lane);
      await C.hangup();
      await lane.talk('A', 'B');
      await lane.state('A', 'talking');
      await B.hangup();
      await A.closed();
    },
  },
];

/** A has left: B has the customer, or the queue of A has. */
export const onward: readonly Row[] = [
  {
    name: 'completed by key',
    asked: ['answered'],
    logged: 'ATTENDEDTRANSFER',
    plays: async (lane) => {
      await ask(lane);
      await lane.phones.A.digits('*6');
      await left(lane, 'C');
    },
  },
  {
    name: 'completed by hanging up',
    asked: ['answered'],
    logged: 'ATTENDEDTRANSFER',
    plays: async (lane) => {
      await ask(lane);
      await lane.phones.A.hangup();
      await left(lane, 'B');
    },
  },
  {
    name: 'all three talk, and A leaves',
    asked: ['answered'],
    logged: 'COMPLETEAGENT',
    plays: async (lane) => {
      await ask(lane);
      await lane.phones.A.digits('*3');
      await lane.hears('A', 'B', 'C');
      await lane.hears('B', 'A', 'C');
      await lane.hears('C', 'A', 'B');
      await lane.state('A', 'talking');
      await lane.phones.A.hangup();
      await left(lane, 'B');
    },
  },
  {
    name: 'A leaves while it rings, and B answers',
    asked: ['answered'],
    logged: 'ATTENDEDTRANSFER',
    plays: async (lane) => {
      await rings(lane, `*2${lane.numbers.B}`);
      await lane.phones.A.hangup();
      await lane.wrappedUp();
      await answers(lane, 'B');
      await left(lane, 'C');
    },
  },
  {
    name: 'sent on to B',
    asked: ['sent'],
    logged: 'BLINDTRANSFER',
    plays: async (lane) => {
      await rings(lane, `*1${lane.numbers.B}`);
      await answers(lane, 'B');
      await left(lane, 'C');
    },
  },
  {
    name: 'sent on to B, who says no',
    asked: ['rejected'],
    logged: 'BLINDTRANSFER',
    returns: true,
    plays: async (lane) => {
      await rings(lane, `*1${lane.numbers.B}`);
      await returns(lane);
    },
  },
  {
    name: 'A leaves while it rings, and B says no',
    asked: ['rejected'],
    logged: 'ATTENDEDTRANSFER',
    returns: true,
    plays: async (lane) => {
      await rings(lane, `*2${lane.numbers.B}`);
      await lane.phones.A.hangup();
      await returns(lane);
    },
  },
];
