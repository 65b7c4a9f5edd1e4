import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addExtension, setExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import type { Phone } from '../../../lab/phone.js';
import { readSamples, toneIn } from '../../../lab/wav.js';
import { centreFor, dialAndHear, needLab } from '../../support/centre.js';
import { waitJoined } from '../../support/phones/in-call.js';
import { Provider, toldIn, triesIn } from '../../support/phones/providers.js';

/** Emergency numbers from a phone, over whatever trunk is left: with a server, and with everything of ours dead. */
await needLab(t);

const team = 'astercc';
const own = await Provider.start('provider.own', 71);
const other = await Provider.start('provider.other', 72);
const shared = await Provider.start('provider.shared', 73);
const providers = [own, other, shared];
t.teardown(() => Promise.all(providers.map((provider) => provider.stop())));

const centre = await centreFor(t, {
  asterisk: {
    extra: { 'pjsip.conf': providers.map((provider) => provider.section()).join('') },
  },
  provision: async (db) => {
    await addUser(db, team, { username: 'anna', name: 'Anna Berg', administrator: true });
    for (const number of ['5001', '5002', '5003']) await addExtension(db, team, { number, user: 'anna' });
    await addGroup(db, team, { name: 'support', number: '6000' });
    await addAgent(db, team, { number: '1001', user: 'anna', groups: ['support'] });
    // In an order that is not the one in which they are tried.
    await addTrunk(db, null, { name: 'a-shared', endpoint: shared.endpoint });
    await addTrunk(db, team, { name: 'b-other', endpoint: other.endpoint });
    await addTrunk(db, team, { name: 'c-own', endpoint: own.endpoint });
    await setTeam(db, team, { trunk: 'c-own', country: 'DE', emergency: '112,110' });
    for (const number of ['+4930600100', '+4930600101'])
      await addDid(db, team, { number, to: 'group:support' });
    await setExtension(db, team, '5001', { location: '2nd floor, room 14' });
    await db('teams').where({ identity: team }).update({ outside_prefix: '0', caller_id: '+4930600100' });
    await db('extensions').where({ number: '5001' }).update({ caller_id: '+4930600101' });
    await db('trunks').update({ channels: 1, reply_seconds: 10 });
    await db('trunks').where({ name: 'a-shared' }).update({ caller_id: '+4930600199' });
  },
});
const { asterisk, db, server } = centre;
const phone = await centre.phone('5001');
const plain = await centre.phone('5002');
for (const provider of providers) await provider.reachable(asterisk);

/** Dials, has the provider pick up, and talk until the phone hangs up. Returns the tries that it took. */
async function help(from: Phone, dialled: string, provider: Provider): Promise<string[]> {
  const mark = await asterisk.verbose.mark();
  const before = provider.calls.length;
  provider.does('answer');
  await from.dial(dialled);
  const call = await provider.call(before, 'answered');
  await from.established();
  await until('the try to be told', async () =>
    (await triesIn(asterisk, mark)).find((one) => one.includes('answered')),
  );
  t.equal(call.number, dialled.replace(/^[*]31/, '').replace(/^0?(?:[+]|00)49|^0|#$/g, ''));
  await from.hangup();
  await from.closed();
  await provider.call(before, 'ended');
  return await triesIn(asterisk, mark);
}

/** Its end may be written before who ended it. */
const isOver = (call: { ended_at: Date | null; ended_by: string | null }): boolean =>
  call.ended_at !== null && call.ended_by !== null;

/** Waits until the emergency calls are recorded so, the oldest first, and over. */
async function recorded(calls: readonly object[]): Promise<void> {
  const rows = await until(`${calls.length} emergency calls in the records`, async () => {
    const found = await db('calls').where({ class: 'emergency' }).orderBy('id');
    return found.length === calls.length && found.every(isOver) ? found : undefined;
  });
  t.match(rows, calls);
}

await t.test('a number that nobody has applied is named by status, which asks Asterisk', async (t) => {
  const says = async (): Promise<string[]> =>
    (JSON.parse(await centre.star64('status', '--json')) as { notices: { says: string }[] }).notices
      .map(({ says }) => says)
      .filter((one) => one.includes('star64 apply'));
  t.same(await says(), []);
  await setTeam(db, team, { emergency: '112,110,116117' });
  t.match(await says(), [/ 116117 /]);
  await setTeam(db, team, { emergency: '112,110' });
});

await t.test('at a phone at which nobody is signed in: at once, logged with its place', async (t) => {
  const from = await server.log.mark();
  t.same(await help(phone, '112', own), ['provider.own answered 200']);
  t.equal(own.calls[0]?.from, '+4930600101', 'known outside by the number of the extension');
  t.notMatch(own.calls[0]?.invite, /^From:.*anonymous/im);
  await recorded([
    {
      number: '112',
      location: '2nd floor, room 14',
      trunk: 'c-own',
      outcome: 'answered',
      ended_by: 'caller',
    },
  ]);
  const told = await centre.star64('events', '--since', '1h', '--type', 'call.emergency');
  t.match(JSON.parse(told), {
    type: 'call.emergency',
    team,
    number: '112',
    extension: '5001',
    location: '2nd floor, room 14',
    user: 'Anna Berg',
  });
  const line = await server.log.waitFor(/an emergency number is called/, from);
  t.match(JSON.parse(line), {
    level: 50,
    team,
    phone: 'astercc-5001',
    extension: '5001',
    location: '2nd floor, room 14',
    user: 'Anna Berg',
    number: '112',
  });
  const waysToDial = ['0112', '110', '0110', '112#', '*31112', '*310112', '+49112', '0+49112', '0049112'];
  for (const [index, dialled] of [...waysToDial, '00049110'].entries()) {
    await help(plain, dialled, own);
    t.equal(own.calls[index + 1]?.from, '+4930600100', 'known outside by the number of the team');
  }
});

await t.test('whatever a trunk answers, the next one is tried', async (t) => {
  for (const answer of [503, 486, 404, 603, 302] as const) {
    own.does(answer);
    other.does(answer);
    const tries = await help(phone, '112', shared);
    t.same(
      // Of a redirection Asterisk keeps no answer.
      answer === 302 ? tries.map((one) => one.replace(/failed.*/, 'failed 302')) : tries,
      [`provider.own failed ${answer}`, `provider.other failed ${answer}`, 'provider.shared answered 200'],
    );
  }
});

await t.test('over a trunk that has just failed, when no other one takes it', async (t) => {
  await asterisk.console('dialplan set global STAR64_ASIDE_provider.own 4000000000:300');
  for (const provider of [other, shared]) provider.does(503);
  t.same(await help(phone, '112', own), [
    'provider.other failed 503',
    'provider.shared failed 503',
    'provider.own answered 200',
  ]);
  await asterisk.console('dialplan set global STAR64_ASIDE_provider.own 0');
});

await t.test('in a pause, and while every channel of a trunk is taken', async (t) => {
  await dialAndHear(centre, phone, '*641001', 'agent-loginok');
  await dialAndHear(centre, phone, '*660', 'do-not-disturb');
  own.does('answer');
  const before = own.calls.length;
  // One channel is all that the trunk has.
  await plain.dial('112');
  await own.call(before, 'answered');
  await plain.established();
  t.same(await help(phone, '112', own), ['provider.own answered 200']);
  await plain.hangup();
  await plain.closed();
  await own.call(before, 'ended');
  await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
});

await t.test('who sends somebody on to it is who calls', async (t) => {
  own.does('answer');
  const before = own.calls.length;
  const mark = await asterisk.verbose.mark();
  await phone.dial('5002');
  await plain.incoming();
  await plain.answer();
  await phone.established();
  await plain.established();
  // Who is in no bridge yet can send nobody on.
  for (const one of [phone, plain]) await waitJoined(centre, one, mark);
  await phone.transfer('112');
  const call = await own.call(before, 'answered');
  t.equal(call.from, '+4930600101');
  await phone.closed();
  await plain.hangup();
  await plain.closed();
  await own.call(before, 'ended');
});

await t.test('a caller who gives up ends it, and no other trunk is called', async (t) => {
  own.does('ring');
  const mark = await asterisk.verbose.mark();
  const before = own.calls.length;
  const others = other.calls.length;
  await phone.dial('112');
  await phone.ringing();
  await phone.hangup();
  await own.call(before, 'cancelled');
  await until('the end to be told', async () => (await toldIn(asterisk, 'Star64OutEnd', mark))[0]);
  t.same(await triesIn(asterisk, mark), ['provider.own ended']);
  t.equal(other.calls.length, others);
});

await t.test('with no server and no PostgreSQL, over the last trunk that works', async (t) => {
  await server.kill();
  await centre.postgres.kill();
  own.does(503);
  other.does('silent');
  const mark = await asterisk.verbose.mark();
  const before = shared.calls.length;
  shared.does('early');
  await plain.dial('0112');
  const call = await shared.call(before);
  await shared.playedOneSecond(call);
  shared.pickUp(call);
  await plain.established();
  shared.hangUp(call);
  await plain.closed();
  const ends = await until('the end to be told', async () => {
    const told = await toldIn(asterisk, 'Star64OutEnd', mark);
    return told.length > 0 ? told : undefined;
  });
  t.same(await triesIn(asterisk, mark), [
    'provider.own failed 503',
    'provider.other failed',
    'provider.shared answered 200',
  ]);
  t.equal(call.from, '+4930600100');
  t.match(ends, [{ Status: 'ANSWER', EndedBy: 'callee' }]);
  t.ok(toneIn(await readSamples(await plain.heard()), 440) > 1000, 'what is said before the answer is heard');
});

await t.test('also over a trunk that Asterisk takes for gone, though somebody talks over it', async (t) => {
  shared.does(500);
  other.does('answer');
  await phone.dial('112');
  await phone.established();
  own.die();
  other.hide();
  for (const provider of [own, other]) await provider.reachable(asterisk, false);
  t.same(await help(plain, '112', other), [
    'provider.shared failed 500',
    'provider.own failed',
    'provider.other answered 200',
  ]);
  await phone.hangup();
  await phone.closed();
});

await t.test('where no trunk takes it, a voice says so after two rounds', async (t) => {
  for (const provider of providers) {
    provider.live();
    provider.does(503);
  }
  for (const provider of providers) await provider.reachable(asterisk);
  const mark = await asterisk.verbose.mark();
  await plain.dial('112');
  await asterisk.waitPlayed(plain.user, 'all-circuits-busy-now', mark);
  await plain.closed();
  const round = providers.map(({ endpoint }) => `${endpoint} failed 503`);
  t.same(await triesIn(asterisk, mark), [...round, ...round]);
  t.same(
    (await asterisk.warnings()).filter((line) => /star64-|UserEvent|Unknown|MSet|CUT|FILTER/.test(line)),
    [],
  );
});

await t.test('what was called without a server is recorded when one is back', async (t) => {
  await centre.postgres.restart();
  await server.start();
  const rows = await until('the calls that were left', async () => {
    const found = await db('calls').where({ class: 'emergency' }).orderBy('id', 'desc').limit(4);
    return (found[0] as { outcome: string } | undefined)?.outcome === 'failed' && found.every(isOver)
      ? found.reverse()
      : undefined;
  });
  t.match(rows, [
    { number: '112', trunk: 'a-shared', outcome: 'answered', ended_by: 'callee' },
    { number: '112', trunk: 'b-other', outcome: 'answered', ended_by: 'caller' },
    { number: '112', trunk: 'b-other', outcome: 'answered', ended_by: 'caller' },
    { number: '112', trunk: null, outcome: 'failed', ended_by: 'system' },
  ]);
});
