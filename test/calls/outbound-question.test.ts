import { pino } from 'pino';
import t, { type Test } from 'tap';
import { outbound as script } from '../../agi/scripts/outbound.js';
import type { Services } from '../../agi/scripts/script.js';
import type { CallOut } from '../../domain/calls/outbound/calls-out.js';
import { explainOutbound } from '../../domain/calls/outbound/explain-outbound.js';
import { Outbound } from '../../domain/calls/outbound/outbound-memory.js';
import { readOutbound } from '../../domain/calls/outbound/outbound-answer.js';
import { readOutboundTeams } from '../../domain/calls/outbound/outbound-read.js';
import { Routing } from '../../domain/calls/routing/routing.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addDid, removeDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, removeExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup } from '../../domain/provisioning/numbers/trunk-group.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { addUserGroup, setUserGroup } from '../../domain/provisioning/people/user-group.js';
import { call } from '../agi/fake-asterisk.js';
import { serve, token } from '../agi/serving.js';
import { patient } from '../../lab/patience.js';
import { freshDatabase } from '../support/database.js';

const { db, url } = await freshDatabase(t);
const team = 'astercc';
await setTeam(db, team, { country: 'DE', area: '30', outsidePrefix: '0' });
await addTeam(db, 'other', { country: 'US', outsidePrefix: 'none' });
for (const username of ['anna', 'ben']) await addUser(db, team, { username });
await addExtension(db, team, { number: '5000', user: 'anna' });
await addExtension(db, team, { number: '5001', user: 'ben', endpoint: 'desk' });
await addGroup(db, team, { name: 'support' });
await addAgent(db, team, { number: '1001', user: 'anna', groups: ['support'] });
await addDid(db, team, { number: '+4930600100', to: 'group:support' });
await addTrunk(db, team, { name: 'main', endpoint: 'main', country: 'DE' });
await addTrunk(db, null, { name: 'shared', endpoint: 'shared' });
await addTrunk(db, 'other', { name: 'theirs', endpoint: 'theirs' });
await addTrunkGroup(db, team, { name: 'both', members: ['main', 'shared'], rules: ['+49 strip 3 add 0'] });
await setTeam(db, team, { trunk: 'main', callerId: '+4930600100' });
await addUserGroup(db, team, {
  name: 'sales',
  users: { add: ['ben'] },
  trunkGroup: 'both',
  mayCall: 'international',
});

let calls = 0;

/** Asks as Asterisk does, with everything read from a database. */
async function asking(t: Test, of: Database) {
  const routing = new Routing(of, 'default');
  const outbound = new Outbound(of, 'default', routing, {}, 60_000);
  const load = async (): Promise<void> => {
    await routing.load();
    await outbound.load();
  };
  await load();
  const noted: CallOut[] = [];
  const services = {
    outbound,
    callsOut: { add: (one: CallOut) => noted.push(one) },
    log: pino({ enabled: false }),
  } as unknown as Services;
  const { port } = await serve(t, { outbound: (session, args) => script(services, session, args) });
  const ask = async (...args: string[]) => {
    const { variables } = await call({ port, script: 'outbound', args, token, uniqueid: `call.${++calls}` });
    const answer = variables.get('STAR64_ANSWER');
    return answer === undefined ? undefined : readOutbound(answer);
  };
  return { ask, load, noted };
}

await t.test('a phone calls over the trunk of its team, its user, or nobody', async (t) => {
  const { ask, noted } = await asking(t, db);
  t.match(await ask(team, '123456', 'astercc-5000', ''), {
    go: true,
    number: '+4930123456',
    callerId: '+4930600100',
    hide: false,
    steps: [{ endpoint: 'main', sent: '+4930123456', channels: 0, replySeconds: 6 }],
    talks: null,
  });
  t.match(noted.at(-1), {
    team,
    dialled: '123456',
    number: '+4930123456',
    class: 'national',
    refused: null,
    extension: '5000',
    userGroup: null,
  });
  t.match(await ask(team, '004312345', 'desk', 'h'), {
    go: true,
    hide: true,
    steps: [{ endpoint: 'main', sent: '+4312345' }, { endpoint: 'shared' }],
  });
  t.match(noted.at(-1), { userGroup: 'sales', extension: '5001' });
  t.match(
    await ask(team, '123456', 'desk', ''),
    { go: false, refused: 'class' },
    'the user group says it alone',
  );
  t.match(noted.at(-1), { refused: 'class', userGroup: 'sales', number: '+4930123456' });
  t.match(await ask(team, '123456', 'astercc-5999', ''), { refused: 'nobody' });
  t.match(await ask(team, '123456', 'theirs', ''), { refused: 'nobody' });
  t.match(await ask(team, '123456', '', ''), { go: true }, 'the team itself');
  t.match(await ask('other', '2125550100', 'other-5000', ''), { refused: 'nobody' });
  t.equal(
    await ask('nobody', '123456', 'nobody-5000', ''),
    undefined,
    'no answer: the generated files decide',
  );
});

await t.test('who is signed in talks, and may call what their current group leaves', async (t) => {
  const { ask, noted } = await asking(t, db);
  await signIn(db, team, { agent: '1001', extension: '5000', by: 'test' });
  t.match(await ask(team, '123456', 'astercc-5000', ''), {
    go: true,
    talks: { member: 'PJSIP/astercc-5000', wrapUp: 'answer' },
  });
  t.match(noted.at(-1), { agent: '1001' });
  await setGroup(db, team, 'support', { mayCall: 'mobile', wrapUp: 'ring' });
  t.match(
    await ask(team, '123456', 'astercc-5000', ''),
    { refused: 'class' },
    'at once, it is not remembered',
  );
  t.match(await ask(team, '015112345678', 'astercc-5000', ''), { talks: { wrapUp: 'ring' } });
  await setGroup(db, team, 'support', { mayCall: null, workMode: 'inbound' });
  t.match(await ask(team, '123456', 'astercc-5000', ''), { refused: 'work-mode' });
  await setGroup(db, team, 'support', { workMode: 'choice' });
  t.match(await ask(team, '123456', 'astercc-5000', ''), { go: true });
  await db('sign_ins').update({ work_mode: 'inbound' });
  t.match(await ask(team, '123456', 'astercc-5000', ''), { refused: 'work-mode' }, 'their own choice');
  await db('sign_ins').update({ work_mode: 'all' });
});

await t.test('a change of provisioning is in the answer once it is read', async (t) => {
  const { ask, load } = await asking(t, db);
  await addDid(db, team, { number: '+4930600101', to: 'group:support' });
  await setExtension(db, team, '5000', { callerId: '+4930600101' });
  await load();
  t.match(await ask(team, '123456', 'astercc-5000', ''), { callerId: '+4930600101' });
  await removeDid(db, team, '+4930600101');
  await load();
  t.match(
    await ask(team, '123456', 'astercc-5000', ''),
    { callerId: '+4930600100' },
    'no DID of the team any more',
  );
  await setUserGroup(db, team, 'sales', { users: { remove: ['ben'] } });
  await load();
  t.match(await ask(team, '123456', 'desk', ''), { go: true, steps: [{ endpoint: 'main' }] });
  await setUserGroup(db, team, 'sales', { users: { add: ['ben'] } });
});

await t.test(
  'with PostgreSQL away the last known rights stand, and what may be dear is closed',
  async (t) => {
    const own = connect(url, patient);
    const { ask, noted } = await asking(t, own);
    await own.destroy();
    t.match(await ask(team, '123456', 'astercc-5000', ''), { go: true, talks: null });
    t.match(noted.at(-1), { extension: '5000', agent: null, user: null });
    t.match(await ask(team, '004312345', 'desk', ''), { refused: 'unknown' });
    t.match(await ask(team, '123456', 'desk', ''), { refused: 'class' });
  },
);

await t.test(
  'an extension that was removed calls nobody, though its phone is still registered',
  async (t) => {
    const { ask } = await asking(t, db);
    await addExtension(db, team, { number: '5002', user: 'ben' });
    await removeExtension(db, team, '5002');
    t.match(await ask(team, '0401234567', 'astercc-5002', ''), { refused: 'nobody' });
  },
);

await t.test('of one team the same is read as of all of them', async (t) => {
  const all = await readOutboundTeams(db, 'default', undefined);
  for (const one of all) t.same(await readOutboundTeams(db, 'default', [one.id]), [one], one.team);
  const groups = all.find((one) => one.team === team)?.extensions.get('desk')?.groups;
  t.same(
    groups?.map(({ name }) => name),
    ['sales'],
  );
});

await t.test('route says the same in words', async (t) => {
  const explain = (number: string, from: string) => explainOutbound(db, team, { number, from });
  const emergency = await explain('112', '5000');
  t.match(emergency, { class: 'emergency', refused: null, opens: null, trunks: [{ sent: '112' }] });
  t.match(emergency?.steps.at(-1), 'an emergency call goes out before every right and limit');
  t.match((await explain('123456', '5000'))?.steps.at(-1), /limits are not looked at/);
  const out = await explain('09001234567', '5001');
  t.match(out, {
    number: '+499001234567',
    class: 'premium',
    refused: 'class',
    opens: '`star64 user-group set sales --may-call international,premium`',
  });
  const called = await explain('004312345', '5001');
  t.match(called, { refused: null, userGroup: 'sales', callerId: '+4930600100' });
  t.same(called?.trunks, [
    { trunk: 'main', endpoint: 'main', sent: '+4312345' },
    { trunk: 'shared', endpoint: 'shared', sent: '+4312345' },
  ]);
  const words = called?.steps.join('\n') ?? '';
  for (const part of [
    'extension 5001 of user ben, in user group sales',
    'its class is international: a number of AT',
    'user group sales may call international numbers',
    'trunk group both (of user group sales)',
    '+4930600100 is shown (caller ID of team astercc)',
    'over trunk main (main), as +4312345',
    'else over trunk shared (shared), as +4312345',
  ])
    t.ok(words.includes(part), `${part}: ${words}`);
  t.equal(await explain('+4315888', '4999'), undefined, 'no extension: it is a caller’s number');
});
