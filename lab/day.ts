import type { Database } from '../domain/database/pool.js';
import { Star64Error } from '../domain/errors.js';
import { Caller } from './caller.js';
import type { Centre } from './centre.js';
import type { Phone } from './phone.js';
import { until } from '../domain/machine/processes.js';

/** Says what happens, as it happens: who, what. */
export type Tell = (who: string, what: string) => void;

/** The demo team's numbers; see fixtures/demo-team.json. */
const did = '600100';
const customers = ['4930111111', '4930222222', '4930333333'] as const;

/** For how long a waiting call is watched not to ring anywhere while both agents are in wrap-up. */
const quietMs = 4000;

/**
 * A day in small, played with real phones on the real Asterisk: two agents sign in, three customers call, wrap-up
 * keeps the third waiting until an agent ends it, the agents sign out. Every line that it tells has been seen at a
 * phone or in the database; what does not happen in time is an error.
 */
export async function playDay(centre: Centre, tell: Tell): Promise<void> {
  const anna = await centre.phone('5000');
  const bert = await centre.phone('5001');
  const agents = new Map([
    [anna, 'Anna  (5000)'],
    [bert, 'Bert  (5001)'],
  ]);
  const name = (phone: Phone): string => agents.get(phone) ?? phone.user;
  tell('phones', `registered as ${anna.user} and ${bert.user}`);

  await dialAndHear(centre, anna, '*64', 'agent-user', tell, name(anna));
  tell(name(anna), 'keys 1001#');
  await hear(centre, anna, 'agent-loginok', tell, name(anna), () => anna.digits('1001#'));
  await anna.closed();
  await dialAndHear(centre, bert, '*641002', 'agent-loginok', tell, name(bert));
  await bert.closed();

  const first = await call(centre, customers[0], tell);
  const taker = await ringing([anna, bert], tell, name);
  const second = await call(centre, customers[1], tell);
  const other = await ringing(
    [anna, bert].filter((phone) => phone !== taker),
    tell,
    name,
  );
  for (const phone of [taker, other]) {
    await phone.answer();
    await phone.established();
    tell(name(phone), 'answers');
  }
  await states(centre.db, { '1001': 'talking', '1002': 'talking' });
  await talk();

  await first.hangup();
  await taker.closed();
  tell('customer', `${customers[0]} hangs up`);
  await other.hangup();
  await second.ended();
  tell(name(other), 'hangs up');
  await states(centre.db, { '1001': 'wrap-up', '1002': 'wrap-up' });
  tell('database', 'both agents are in wrap-up');

  const third = await call(centre, customers[2], tell);
  await waitingCall(centre.db, customers[2]);
  const before = [anna, bert].map(({ events }) => events.length);
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  [anna, bert].forEach((phone, index) => {
    const rang = phone.events.slice(before[index]).some(({ type }) => type === 'CALL_INCOMING');
    if (rang) throw new Star64Error('failure', `${name(phone)} was offered a call in wrap-up`);
  });
  tell('customer', `${customers[2]} waits, and for ${quietMs / 1000} s no phone rings`);

  await dialAndHear(centre, anna, '*67', 'activated', tell, name(anna));
  await anna.closed();
  await ringing([anna], tell, name);
  await anna.answer();
  await anna.established();
  tell(name(anna), 'answers');
  await states(centre.db, { '1001': 'talking' });
  await talk();
  await third.hangup();
  await anna.closed();
  tell('customer', `${customers[2]} hangs up`);
  await states(centre.db, { '1001': 'wrap-up' });

  for (const phone of [anna, bert]) {
    await dialAndHear(centre, phone, '*65', 'agent-loggedoff', tell, name(phone));
    await phone.closed();
  }
  await allEnded(centre.db);
}

/** Long enough to be seen in the summary. */
const talk = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 2000));

async function call(centre: Centre, from: string, tell: Tell): Promise<Caller> {
  tell('customer', `${from} calls ${did}`);
  return Caller.call({ from, to: did, server: centre.asterisk.sip });
}

/** The first of the phones to ring. */
async function ringing(phones: Phone[], tell: Tell, name: (phone: Phone) => string): Promise<Phone> {
  const phone = await Promise.any(phones.map((one) => one.incoming().then(() => one)));
  tell(name(phone), 'rings');
  return phone;
}

async function dialAndHear(
  centre: Centre,
  phone: Phone,
  number: string,
  prompt: string,
  tell: Tell,
  who: string,
): Promise<void> {
  tell(who, `dials ${number}`);
  await hear(centre, phone, prompt, tell, who, () => phone.dial(number));
}

async function hear(
  centre: Centre,
  phone: Phone,
  prompt: string,
  tell: Tell,
  who: string,
  after: () => Promise<void>,
): Promise<void> {
  const from = await centre.asterisk.verbose.mark();
  await after();
  await centre.asterisk.waitPlayed(phone.user, prompt, from);
  tell(who, `hears “${prompt}”`);
}

/** Waits until the database says that each agent is in this state. */
async function states(db: Database, wanted: Record<string, string>): Promise<void> {
  await until(`the states ${JSON.stringify(wanted)}`, async () => {
    const { rows } = await db.raw<{ rows: { agent: string; state: string }[] }>(
      `select a.number as agent, s.state from agent_states s join agents a on a.id = s.agent_id where s.ended_at is null`,
    );
    const now = new Map(rows.map(({ agent, state }) => [agent, state]));
    return Object.entries(wanted).every(([agent, state]) => now.get(agent) === state) ? true : undefined;
  });
}

async function waitingCall(db: Database, caller: string): Promise<void> {
  await until(`the call of ${caller} in the queue`, async () => {
    const row: unknown = await db('queue_visits as v')
      .join('calls as c', 'c.id', 'v.call_id')
      .where({ 'c.caller': caller, 'v.answered_at': null, 'v.left_at': null })
      .first('v.id');
    return row === undefined ? undefined : true;
  });
}

async function allEnded(db: Database): Promise<void> {
  await until('the end of every call and state', async () => {
    const { rows } = await db.raw<{ rows: { open: number }[] }>(
      `select (select count(*) from calls where ended_at is null)
         + (select count(*) from agent_states where ended_at is null) as open`,
    );
    return rows[0]?.open === 0 ? true : undefined;
  });
}
