import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension, showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { addHours } from '../../../domain/provisioning/features/hours.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import { switchDevice } from '../../../domain/hours-switch.js';
import { Caller } from '../../../lab/caller.js';
import { readLamp } from '../../../lab/lamp.js';
import { centreFor, dialAndHear, dialled, needLab, waitState } from '../../support/centre.js';

/** Calls while hours are open and closed, and the switch of these: with a server, and without. */
await needLab(t);

const pin = '730551';
const team = 'astercc';
const centre = await centreFor(t, {
  provision: async (db) => {
    await addUser(db, team, { username: 'anna', administrator: true, pin });
    await addUser(db, team, { username: 'ben' });
    await addExtension(db, team, { number: '5001', user: 'anna' });
    await addExtension(db, team, { number: '5002', user: 'ben' });
    await addExtension(db, team, { number: '5003', user: 'ben' });
    const hours = 'office';
    await addHours(db, team, { name: hours, number: '1', week: ['mon-sun 00:00-24:00'] });
    await addGroup(db, team, { name: 'support', number: '6000', hours, closed: 'extension:5003' });
    await addGroup(db, team, { name: 'always' });
    await addAgent(db, team, { number: '1001', user: 'ben', groups: ['support', 'always'] });
    await addDid(db, team, { number: '600100', to: 'group:always', hours, closed: 'hangup:busy' });
    await addDid(db, team, { number: '600101', to: 'hours:office' });
    await addDid(db, team, { number: '600102', to: 'group:support' });
    const { allHours } = await import('../../../domain/provisioning/features/hours.js');
    await allHours.set(db, team, hours, { open: 'group:always', closed: 'extension:5003' });
  },
});
const { asterisk, db, server } = centre;
const administrator = await centre.phone('5001');
const agent = await centre.phone('5002');
const night = await centre.phone('5003');
await dialAndHear(centre, agent, '*641001', 'agent-loginok');

const call = (to: string): Promise<Caller> => Caller.call({ from: '4930123', to, server: asterisk.sip });
const position = async (): Promise<string | undefined> =>
  (await db('hours').first<{ position: string } | undefined>('position'))?.position;
/** What Asterisk itself goes by. */
const device = async (): Promise<string> => {
  const text = await asterisk.console('devstate list');
  const [, state = 'none'] =
    new RegExp(`Name: '${switchDevice(team, 'office')}' +State: '([A-Z_]+)'`).exec(text) ?? [];
  return state;
};

/** Calls, waits for a phone to ring and gives up. Returns which one it was, or why the call has ended. */
async function rings(to: string): Promise<string> {
  const phones = [agent, night];
  const before = phones.map((phone) => phone.events.length);
  const caller = await call(to);
  const came = await until(`a phone to ring for ${to}`, () => {
    const phone = phones.find((one, index) =>
      one.events.slice(before[index]).some(({ type }) => type === 'CALL_INCOMING'),
    );
    return phone ?? caller.phone.events.find(({ type }) => type === 'CALL_CLOSED')?.param;
  });
  await caller.hangup();
  if (typeof came === 'string') return came;
  await came.closed();
  if (came === agent) await waitState(centre, '1001', 'idle');
  return came.user;
}

const dids = ['600100', '600101', '600102'] as const;
const open = ['astercc-5002', 'astercc-5002', 'astercc-5002'];
const closed = [/486/, 'astercc-5003', 'astercc-5003'];
const allRing = async (): Promise<string[]> => {
  const found: string[] = [];
  for (const did of dids) found.push(await rings(did));
  return found;
};

await t.test('by the rules: a DID, hours themselves and a group let calls through', async (t) => {
  t.same(await allRing(), open);
});

await t.test('the administrator switches at their phone, and the lamp says so', async (t) => {
  await dialAndHear(centre, administrator, '*6112', 'hours', 'disabled');
  t.equal(await position(), 'night');
  t.equal(await device(), 'INUSE');
  const { secret } = await showExtensionSecret(db, team, '5002');
  const lamp = { user: 'astercc-5002', secret: secret ?? '', server: asterisk.sip, lamp: 'hours1' };
  await until('the lamp', async () => ((await readLamp(lamp)) === 'confirmed' ? true : undefined));
  t.match(await allRing(), closed);
  // A phone of the team comes to a group by its number.
  const mark = night.events.length;
  await administrator.dial('6000');
  await until('the phone of the night to ring', () =>
    night.events.slice(mark).find(({ type }) => type === 'CALL_INCOMING'),
  );
  await administrator.hangup();
  await night.closed();
});

await t.test('anybody else needs the PIN of the administrator', async (t) => {
  t.same(await dialled(centre, agent, '*6110', ['vm-password', '0815#'], ['auth-incorrect', `${pin}#`]), [
    'vm-password',
    'auth-incorrect',
    'hours',
    'is-set-to',
    'time',
  ]);
  t.equal(await position(), 'automatic');
  t.equal(await device(), 'NOT_INUSE');
  t.same(await allRing(), open);
  t.match(await dialled(centre, agent, '*6112', ['vm-password', '0815#'], ['auth-incorrect', '#']), [
    'vm-password',
    'auth-incorrect',
    'vm-password',
  ]);
  t.equal(await position(), 'automatic');
});

await t.test('without a number the default hours of the team, which are asked for', async (t) => {
  await dialAndHear(centre, administrator, '*619', 'hours', 'number');
  await centre.star64('team', 'set', team, '--hours', 'office');
  await dialAndHear(centre, administrator, '*611', 'hours', 'enabled');
  t.equal(await position(), 'day');
  t.equal(await device(), 'ONHOLD');
  const heard = await dialled(centre, administrator, '*61', ['astcc-followed-by-the-pound-key', '2#']);
  t.match(heard, ['hours', 'is-set-to', 'digits/1', 'vm-changeto']);
  t.equal(await position(), 'night');
});

await t.test('a command is followed by Asterisk within seconds', async () => {
  await centre.star64('hours', 'day', 'office');
  await until('Asterisk to follow', async () => ((await device()) === 'ONHOLD' ? true : undefined));
  await centre.star64('hours', 'night', 'office');
  await until('Asterisk to follow', async () => ((await device()) === 'INUSE' ? true : undefined));
});

await t.test('without a server the switch stands as it was, and nobody can turn it', async (t) => {
  await server.kill();
  t.match(await allRing(), closed);
  await dialAndHear(centre, administrator, '*6110', 'sorry');
  t.equal(await device(), 'INUSE');
  await centre.star64('hours', 'automatic', 'office');
  t.equal(await device(), 'INUSE', 'a command is in the database alone');
  await server.start();
  await until('Asterisk to follow', async () => ((await device()) === 'NOT_INUSE' ? true : undefined));
  await server.kill();
  t.same(await allRing(), open);
});
