import { pino } from 'pino';
import t, { type Test } from 'tap';
import { ChangeListener } from '../../domain/database/listen.js';
import { tellServers } from '../../domain/database/notifications.js';
import { until } from '../../domain/machine/processes.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { freshDatabase } from '../support/database.js';
import { Link } from '../support/link.js';

const log = pino({ enabled: false });

/** A listener behind a cable, and what it has heard. */
async function listening(t: Test) {
  const { db, url } = await freshDatabase(t);
  const { hostname, port } = new URL(url);
  const link = await Link.to({ host: hostname, port: Number(port) });
  const near = new URL(url);
  near.port = String(link.near.port);
  const heard: { provisioning: (string | undefined)[]; agents: string[] } = { provisioning: [], agents: [] };
  const listener = new ChangeListener(
    near.href,
    {
      provisioning: (payload) => heard.provisioning.push(payload),
      agents: (payload) => heard.agents.push(payload),
      calls: () => undefined,
    },
    log,
    { pulseMs: 50, againMs: 10, endMs: 100 },
  );
  t.teardown(async () => {
    await listener.stop();
    await link.close();
  });
  await listener.start();
  return { db, link, listener, heard };
}

void t.test('changes are heard, each with what it tells', async (t) => {
  const { db, heard } = await listening(t);
  await until('it to listen', () => (heard.provisioning.length > 0 ? true : undefined));
  t.equal(heard.provisioning[0], undefined, 'anything may have changed before');
  await setTeam(db, 'astercc', { language: 'fr' });
  await until('the change to be heard', () =>
    heard.provisioning.some((payload) => /^teams \d+$/.test(payload ?? '')) ? true : undefined,
  );
  await tellServers(db, [7, 8]);
  await until('the agents to be heard of', () => (heard.agents.length > 0 ? true : undefined));
  t.same(heard.agents, ['7,8']);
});

for (const how of ['cut', 'silence'] as const) {
  void t.test(`a connection that is lost by ${how} is opened again, and everything read anew`, async (t) => {
    const { db, link, heard } = await listening(t);
    link[how]();
    link.mend();
    await until('it to listen again', () => (heard.provisioning.length > 1 ? true : undefined));
    t.equal(heard.provisioning.at(-1), undefined, 'something may have been missed');
    await tellServers(db, [9]);
    await until('the agents to be heard of', () => (heard.agents.includes('9') ? true : undefined));
  });
}

void t.test('it stops, also when its connection has fallen silent', async (t) => {
  const { link, listener } = await listening(t);
  link.silence();
  await listener.stop();
  t.pass('and leaves nothing behind');
});
