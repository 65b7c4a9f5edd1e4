import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { LabAsterisk } from '../../../lab/asterisk.js';
import { Caller } from '../../../lab/caller.js';
import { Phone } from '../../../lab/phone.js';
import { crowd, provision } from '../../../lab/provision.js';
import { LabServer, star64 } from '../../../lab/server.js';
import { temporaryDirectory } from '../../../domain/machine/temporary.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { run, until } from '../../../domain/machine/processes.js';
import { readStatus, type GroupStatus } from '../../../domain/monitor/status.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { centreOf, dialAndHear, waitState } from '../../support/centre.js';
import { callIn, waitWaiting } from '../../support/calls.js';

// Team astercc lives on the Asterisk of the centre, team other on a second one; both have one database.
const centre = await centreOf(t, crowd(2), {
  provision: async (db) => {
    await provision(db, crowd(2, { team: 'other', did: '600200' }));
    await db('nodes').insert({ name: 'east' });
    await db('teams').where({ identity: 'other' }).update({ node: 'east' });
  },
});
const dir = await temporaryDirectory('east');
const ports = await PortBlock.reserve('server');
const generated = join(dir, 'generated');
const asterisk = await LabAsterisk.start({ generated });
const env = {
  ...centre.env,
  STAR64_ASTERISK_NODE: 'east',
  STAR64_AGI_SERVERS: `127.0.0.1:${ports.first}`,
  STAR64_AMI_HOST: asterisk.ami.host,
  STAR64_AMI_PORT: String(asterisk.ami.port),
  STAR64_AMI_USERNAME: asterisk.ami.username,
  STAR64_AMI_SECRET: asterisk.ami.secret,
  STAR64_ASTERISK_CONFIG_DIR: generated,
};
await run(process.execPath, [star64, 'generate'], { env });
await asterisk.reload();
const server = new LabServer({ env, dir, agiPort: ports.first });
await server.start();
const { secret } = await showExtensionSecret(centre.db, 'other', '5001');
const there = await Phone.start({ user: 'other-5001', secret: secret ?? '', server: asterisk.sip });
await there.register();
t.teardown(async () => {
  await there.stop();
  await server.stop();
  await asterisk.stop();
  await ports.release();
});

const queue = async (on: LabAsterisk, name: string): Promise<string> => on.console(`queue show ${name}`);
const openCalls = () =>
  centre
    .db('calls')
    .whereNull('ended_at')
    .orderBy('node')
    .select<{ node: string; did: string }[]>('node', 'did');

await t.test(
  'each Asterisk has its own agents and calls, and keeps them whatever the other does',
  async (t) => {
    const here = await centre.phone('5001');
    await dialAndHear(centre, here, '*641001', 'agent-loginok');
    const from = await asterisk.verbose.mark();
    await there.dial('*641001');
    await asterisk.waitPlayed('other-5001', 'agent-loginok', from);
    await there.closed();
    await until('the agent in the queue there', async () =>
      (await queue(asterisk, 'other-support')).includes('1001') ? true : undefined,
    );
    t.notMatch(await queue(centre.asterisk, 'other-support'), /1001/);

    // A conversation on each, and a caller who waits on each.
    const ours = await callIn(centre);
    await here.incoming();
    await here.answer();
    await here.established();
    const call = (): Promise<Caller> => Caller.call({ from: '4940', to: '600200', server: asterisk.sip });
    const theirs = await call();
    await there.incoming();
    await there.answer();
    await there.established();
    const more = [await callIn(centre), await call()];
    await waitWaiting(centre, 'astercc-support', 1);
    const four = [
      { node: 'default', did: '600100' },
      { node: 'default', did: '600100' },
      { node: 'east', did: '600200' },
      { node: 'east', did: '600200' },
    ];
    await until('four calls', async () => isDeepStrictEqual(await openCalls(), four) || undefined);

    // Each server compares anew when it starts: a member that is missing shows when it is through.
    for (const { serve, on, name, phone } of [
      { serve: server, on: asterisk, name: 'other-support', phone: 'PJSIP/other-5001' },
      { serve: centre.server, on: centre.asterisk, name: 'astercc-support', phone: 'PJSIP/astercc-5001' },
    ]) {
      await serve.stop();
      await on.console(`queue remove member ${phone} from ${name}`);
      await serve.start();
      await until(`the member of ${name}`, async () =>
        (await queue(on, name)).includes('1001') ? true : undefined,
      );
    }
    t.same(await openCalls(), four, 'no server has ended what it does not see');
    const says = (team: string, wanted: Partial<GroupStatus>): Promise<true> =>
      until(`the group of ${team} to be ${JSON.stringify(wanted)}`, async () => {
        const [found] = (await readStatus(centre.db, team)).groups;
        return isDeepStrictEqual({ ...found, ...wanted }, found) ? true : undefined;
      });
    for (const team of ['astercc', 'other']) {
      // Who waited has found the queue empty, and goes back into it when the member is there.
      await says(team, { waiting: 1, talking: 1, signedIn: 1, answered: 1 });
      await waitState(centre, '1001', 'talking', 30_000, team);
    }
    t.notMatch(await queue(asterisk, 'astercc-support'), /1001/);
    t.notMatch(await queue(centre.asterisk, 'other-support'), /1001/);

    for (const caller of [...more, ours, theirs]) await caller.hangup();
    await until('the end of all calls', async () => ((await openCalls()).length === 0 ? true : undefined));
    for (const team of ['astercc', 'other']) await says(team, { answered: 1, abandoned: 1 });
  },
);
