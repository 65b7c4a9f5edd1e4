import t, { type Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup } from '../../../domain/provisioning/numbers/trunk-group.js';
import { crowd, provision } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreFor, needLab, waitMembers, waitState } from '../../support/centre.js';
import { Provider, triesIn } from '../../support/phones/providers.js';

/**
 * Telephones of agents and destinations outside go over the trunks of the team: the next one where one fails, never more
 * calls than a trunk may have, with a server and without.
 */
await needLab(t);
const first = await Provider.start('provider.a', 81);
const second = await Provider.start('provider.b', 82);
t.teardown(() => Promise.all([first.stop(), second.stop()]));

const mobile = '+4915112345678';
const elsewhere = '+49301234567';
const own = '+4930600101';
const did = own.slice(1);
const dear = '+499001234567';
const groups = [{ name: 'support', number: '6000', wrapUp: 'off', missedLimit: 0 }];
const centre = await centreFor(t, {
  asterisk: { extra: { 'pjsip.conf': first.section() + second.section() } },
  provision: async (db) => {
    const team = 'astercc';
    await provision(db, crowd(1, { groups }));
    const national = { country: 'DE', numberFormat: 'national' };
    await addTrunk(db, team, { name: 'a', endpoint: first.endpoint, country: 'DE' });
    await addTrunk(db, team, { name: 'b', endpoint: second.endpoint, ...national, channels: 2 });
    await addTrunkGroup(db, team, { name: 'both', members: ['a', 'b'] });
    await setTeam(db, team, { trunkGroup: 'both' });
    await addExtension(db, team, { number: '7000', user: 'crowd', kind: 'external', telephone: mobile });
    await addAgent(db, team, { number: '2001', user: 'crowd', groups: ['support'] });
    await addDid(db, team, { number: own, to: `outside:${elsewhere}` });
    await addDid(db, team, { number: '600102', to: `outside:${dear}` });
  },
});
const { asterisk, db } = centre;
for (const provider of [first, second]) await provider.reachable(asterisk);
await signInAgent(db, 'astercc', '2001', { extension: '7000', by: 'test' });
await waitMembers(centre, 'astercc-support', ['2001']);

/** Nothing is set aside any more. */
async function forget(): Promise<void> {
  for (const { endpoint } of [first, second])
    await asterisk.console(`dialplan set global STAR64_ASIDE_${endpoint} 0`);
}

/** Fails unless these tries come to be told. */
async function sameTries(t: Test, from: number, wanted: readonly string[]): Promise<void> {
  await until('the tries to be told', async () =>
    (await triesIn(asterisk, from)).length >= wanted.length ? true : undefined,
  );
  t.same(await triesIn(asterisk, from), wanted);
}

/** What holds with a server and without. */
async function nextTrunk(t: Test, known: boolean): Promise<void> {
  first.does(503);
  second.does('ring');
  let [at, from] = [second.calls.length, await asterisk.verbose.mark()];
  const caller = await callIn(centre);
  const rings = await second.call(at, 'invited');
  t.equal(rings.number, '015112345678', "the agent's telephone rings, as the second trunk is sent numbers");
  await sameTries(t, from, ['provider.a failed 503']);
  second.pickUp(rings);
  if (known) await waitState(centre, '2001', 'talking');
  await caller.answered();
  await caller.hangup();
  await second.call(at, 'ended');
  await forget();

  [at, from] = [second.calls.length, await asterisk.verbose.mark()];
  const other = await callIn(centre, did);
  const destination = await second.call(at, 'invited');
  t.equal(destination.number, '0301234567', 'a destination likewise');
  t.equal(destination.from, '4930555', 'who calls is shown, where the team shows no number of its own');
  second.pickUp(destination);
  await other.answered();
  second.hangUp(destination);
  await other.ended();
  await sameTries(t, from, ['provider.a failed 503', 'provider.b answered 200']);
  await forget();

  // Who was called says no: no other trunk is tried.
  first.does(486);
  at = second.calls.length;
  t.match(await (await callIn(centre, did)).ended(), /^486/);
  t.equal(second.calls.length, at);
}

await t.test('the first trunk fails: telephone and destination ring over the second', (t) =>
  nextTrunk(t, true),
);

await t.test('no trunk has more calls than it may have; the caller is told', async (t) => {
  first.does(503);
  second.does('answer');
  const at = second.calls.length;
  const callers = await Promise.all([callIn(centre, did), callIn(centre, did), callIn(centre, did)]);
  const ends = callers.map((caller) => caller.ended());
  t.match(await Promise.race(ends), /^[45]/);
  await second.call(at + 1, 'answered');
  t.equal(second.calls.length, at + 2);
  for (const call of second.calls.slice(at)) second.hangUp(call);
  await Promise.all(ends);
  await until('the end of both', () => (second.current === 0 ? true : undefined));
  await forget();
});

await t.test('a team that has said whom it calls keeps to it, and shows its own number', async (t) => {
  await db('teams').where({ identity: 'astercc' }).update({ outside_prefix: '0', caller_id: own });
  await centre.generate();
  first.does('ring');
  await until('the server to show the number of the team', async () => {
    const at = first.calls.length;
    const caller = await callIn(centre, did);
    const call = await first.call(at);
    await caller.hangup();
    return call.from === own ? true : undefined;
  });
  const at = first.calls.length;
  const from = await asterisk.verbose.mark();
  await (await callIn(centre, '600102')).ended();
  t.equal(first.calls.length, at, 'nobody has opened premium numbers');
  await asterisk.waitPlayed('lab-trunk', 'ss-noservice', from);
  t.pass('the caller is told');
  await centre.server.log.waitFor(/"refused":"class".*a number outside is not called/);
  await db('teams').where({ identity: 'astercc' }).update({ outside_prefix: null, caller_id: null });
  await centre.generate();
});

await t.test('with no server the generated trunks do the same', async (t) => {
  await centre.server.stop();
  await nextTrunk(t, false);
});
