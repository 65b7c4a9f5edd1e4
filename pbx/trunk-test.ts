import { randomBytes } from 'node:crypto';
import { fail } from '../domain/errors.js';
import { AmiError } from './ami/errors.js';
import type { Manager } from './ami/manager.js';
import type { AmiMessage } from './ami/message.js';

/** One of the places where a trunk is. */
export interface TrunkContact {
  uri: string;
  /** `unasked`: it is not asked whether it is there. */
  status: 'reachable' | 'unreachable' | 'unasked';
  milliseconds: number | null;
}

/** What came of one call over a trunk. */
export interface TrunkCall {
  number: string;
  rang: boolean;
  answered: boolean;
  /** The last answer of the other side, as SIP says it: `486 Busy Here`; null: it said nothing. */
  answer: string | null;
}

/** What Asterisk says of a trunk. */
export interface TrunkReport {
  endpoint: string;
  /** As Asterisk calls it: Registered, Rejected, Unregistered; null: it registers nowhere. */
  registration: string | null;
  contacts: TrunkContact[];
  /** Channels that it has now, in both directions. */
  channels: number;
  call: TrunkCall | null;
  works: boolean;
  /** What does not, in words. */
  faults: string[];
}

/** A call that is not answered is given up after this. */
const ringSeconds = 20;
/** Asterisk says what became of it when the Dial is over, and the call a second after an answer. */
const callDeadlineMs = (ringSeconds + 5) * 1000;
/** Answers of who is called: the trunk itself has done its work. */
const aboutCallee = /^(?:480|486|487|600|603)\b/;

/** Asks Asterisk about a trunk; with a number it calls that and hangs up. `registers`: it should be registered. */
export async function testTrunk(
  manager: Pick<Manager, 'action' | 'list' | 'on' | 'off'>,
  { endpoint, registers, callerId }: { endpoint: string; registers: boolean; callerId: string | null },
  number: string | undefined,
): Promise<TrunkReport> {
  const read = async (variable: string): Promise<string> =>
    (
      await permitted('call or reporting', () => manager.action('Getvar', { Variable: variable }))
    ).headers.get('value') ?? '';
  if ((await read(`DEVICE_STATE(PJSIP/${endpoint})`)) === 'INVALID')
    throw fail('trunk_not_loaded', {
      noun: 'trunk',
      facts: { endpoint },
      says: `Asterisk has no endpoint ${endpoint}`,
      remedy: {
        text: '`star64 apply` has it read a generated one; one of your own must be in your pjsip.conf, and loaded',
      },
    });
  const registration = await registrationOf(manager, endpoint);
  const contacts = await contactsOf(read, endpoint);
  const channels = (await permitted('reporting', () => manager.list('CoreShowChannels'))).filter(
    ({ headers }) => headers.get('channel')?.startsWith(`PJSIP/${endpoint}-`),
  ).length;
  const faults: string[] = [];
  if (registers && registration !== 'Registered')
    faults.push(
      registration === null ? 'Asterisk has no registration for it' : `its registration is ${registration}`,
    );
  if (contacts.length === 0) faults.push('Asterisk knows no address of it');
  else if (contacts.every(({ status }) => status === 'unreachable'))
    faults.push('none of its addresses answers');
  const call = number === undefined ? null : await callOver(manager, { endpoint, callerId }, number);
  if (call && !call.answered && !call.rang && !(call.answer !== null && aboutCallee.test(call.answer)))
    faults.push(`the call to ${call.number} got ${call.answer ?? 'no answer of the other side'}`);
  return { endpoint, registration, contacts, channels, call, works: faults.length === 0, faults };
}

async function registrationOf(manager: Pick<Manager, 'list'>, endpoint: string): Promise<string | null> {
  const all = await permitted('reporting', () => manager.list('PJSIPShowRegistrationsOutbound'));
  const own = all.find(
    ({ name, headers }) =>
      name === 'OutboundRegistrationDetail' &&
      (headers.get('endpoint') === endpoint || headers.get('objectname') === endpoint),
  );
  return own?.headers.get('status') ?? null;
}

async function contactsOf(
  read: (variable: string) => Promise<string>,
  endpoint: string,
): Promise<TrunkContact[]> {
  const contacts: TrunkContact[] = [];
  for (const aor of namesIn(await read(`PJSIP_ENDPOINT(${endpoint},aors)`))) {
    for (const contact of namesIn(await read(`PJSIP_AOR(${aor},contact)`))) {
      const status = await read(`PJSIP_CONTACT(${contact},status)`);
      const microseconds = Number(await read(`PJSIP_CONTACT(${contact},rtt)`));
      contacts.push({
        uri: await read(`PJSIP_CONTACT(${contact},uri)`),
        status: status === 'Reachable' ? 'reachable' : status === 'Unreachable' ? 'unreachable' : 'unasked',
        milliseconds:
          status === 'Reachable' && Number.isFinite(microseconds)
            ? Math.round(microseconds / 100) / 10
            : null,
      });
    }
  }
  return contacts;
}

const namesIn = (list: string): string[] => list.split(',').filter((name) => name !== '');

/** Calls over the trunk through a subroutine that says what came of it, and hangs up a second after an answer. */
async function callOver(
  manager: Pick<Manager, 'action' | 'on' | 'off'>,
  { endpoint, callerId }: { endpoint: string; callerId: string | null },
  number: string,
): Promise<TrunkCall> {
  const test = randomBytes(8).toString('hex');
  const seen = { rang: false };
  let heard: (event: AmiMessage | undefined) => void = () => undefined;
  const over = new Promise<AmiMessage | undefined>((resolve) => (heard = resolve));
  const listen = (event: AmiMessage): void => {
    const { headers } = event;
    const destination = headers.get('destchannel') ?? '';
    if (event.name === 'DialState' && destination.startsWith(`PJSIP/${endpoint}-`))
      seen.rang ||= headers.get('dialstatus') === 'RINGING';
    if (headers.get('userevent') === 'Star64TrunkTest' && headers.get('test') === test) heard(event);
  };
  const timer = setTimeout(() => heard(undefined), callDeadlineMs);
  manager.on('event', listen);
  try {
    await permitted('originate', () =>
      manager.action('Originate', {
        Channel: 'Local/s@star64-trunk-test/n',
        Application: 'Wait',
        Data: String(ringSeconds),
        Timeout: callDeadlineMs,
        Async: true,
        ...(callerId !== null && { CallerID: callerId }),
        Variable: {
          STAR64_TEST: test,
          STAR64_TRUNK: endpoint,
          STAR64_NUMBER: number,
          STAR64_SECONDS: ringSeconds,
        },
      }),
    );
    const headers = (await over)?.headers;
    const answer = headers?.get('answer')?.replace(/^SIP /, '') ?? '';
    return {
      number,
      rang: seen.rang,
      answered: headers?.get('status') === 'ANSWER',
      answer: answer === '' ? null : answer,
    };
  } finally {
    clearTimeout(timer);
    manager.off('event', listen);
  }
}

/** Says which class the manager user lacks, where Asterisk refuses what it is asked. */
async function permitted<T>(needed: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
    if (!/permission denied/i.test(error.message)) throw error;
    throw fail(
      'manager_may_not',
      {
        facts: { class: needed },
        says: `Asterisk's manager does not let star64's user do that (${error.message})`,
        remedy: {
          text: `give it the class ${needed} in write= of manager.conf, or another user that has it in STAR64_AMI_USERNAME and STAR64_AMI_SECRET, and then "manager reload" in Asterisk`,
        },
      },
      { cause: error },
    );
  }
}
