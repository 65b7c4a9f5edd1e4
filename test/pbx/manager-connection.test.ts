import { once } from 'node:events';
import { pino } from 'pino';
import t from 'tap';
import { Manager } from '../../pbx/ami/manager.js';
import { recorded } from './fake-ami.js';
import { bench, codeOf, connected, eventsRead, SECRET } from './with-manager.js';

void t.test('two sessions: one without events for actions, one for events alone', async (t) => {
  const made = await connected(t, { eventClasses: ['agent', 'user'] });
  const { ami, manager, events } = made;
  t.strictSame(
    ami
      .seen('login')
      .flatMap(({ headers }) => headers.get('events') ?? 'none')
      .toSorted(),
    ['off', 'system'],
    'Asterisk knows the header Events; Event: off would be ignored',
  );
  t.strictSame(
    ami.seen('events')[0]?.headers.get('eventmask'),
    ['agent,user'],
    'class system only for the start',
  );
  t.strictSame(ami.seen('filter')[0]?.headers.get('filter'), [
    '^Event: (FullyBooted|UserEvent|QueueMemberPause)[^A-Za-z]',
  ]);
  await manager.action('QueueAdd', { Queue: 'a' });
  t.equal(ami.seen('queueadd')[0]?.connection, ami.forActions);
  ami.forActions.write(recorded('user-event.txt'));
  await manager.action('Ping');
  t.strictSame(events, [], 'an event on the connection for actions is nobody’s');
});

void t.test('the wanted events arrive, in order and typed; the others do not', async (t) => {
  const made = await connected(t);
  const { ami, events } = made;
  ami.forEvents.write(recorded('user-event.txt'));
  ami.forEvents.say('Event: ContactStatus', 'AOR: a');
  ami.forEvents.write(recorded('member-pause.txt'));
  ami.forEvents.say(
    'Event: UserEvent',
    'UserEvent: Unicode',
    'Note: Jürgen 日本',
    'no colon here',
    'Note: again',
  );
  await eventsRead(made);
  t.strictSame(
    events.map(({ name }) => name),
    ['UserEvent', 'QueueMemberPause', 'UserEvent', 'UserEvent'],
  );
  t.match(Object.fromEntries(events[0]?.headers ?? []), {
    userevent: 'Star64Test',
    agent: '6001',
    note: 'hello',
  });
  t.equal(events[1]?.headers.get('pausedreason'), 'break');
  t.equal(events[2]?.headers.get('note'), 'Jürgen 日本');
});

void t.test('a flood of events delays no action and loses no event', async (t) => {
  const made = await connected(t);
  const { ami, manager, events } = made;
  const pause = recorded('member-pause.txt');
  for (let i = 0; i < 20_000; i += 100) ami.forEvents.write(pause.repeat(100));
  t.equal((await manager.action('Ping', {}, { deadlineMs: 5_000 })).name, 'Success');
  await eventsRead(made);
  t.equal(events.length, 20_001);
});

void t.test('where Filter is not permitted the class mask is all there is', async (t) => {
  const made = await bench(t);
  made.ami.filterAllowed = false;
  made.manager.start();
  await made.manager.whenUp(5_000);
  made.ami.forEvents.say('Event: QueueMemberAdded', 'Queue: a');
  await eventsRead(made);
  t.equal(made.events.length, 1, 'names are filtered here as well');
});

void t.test('without events there is one session', async (t) => {
  const { ami, manager } = await connected(t, { events: false });
  t.equal(ami.connections.length, 1);
  t.strictSame(await manager.whenUp(1), { since: 'start', uptimeS: null, lastReloadS: null });
});

void t.test('a refused login is told once, with the way out, and tried again', async (t) => {
  const { ami, manager, log } = await bench(t);
  ami.handler = ({ name, id, connection }) => {
    if (name === 'login') connection.socket.end(recorded('login-refused.txt', id));
    return name === 'login';
  };
  manager.start();
  await ami.waitFor('login', 8);
  const error: unknown = await manager.whenUp(1).catch((error: unknown) => error);
  t.match(error, {
    code: 'down',
    exitCode: 7,
    message: /Authentication failed; check secret.*\[star64\].*manager.conf/,
  });
  t.equal(log.filter(({ level }) => level >= 40).length, 1);
  ami.handler = () => false;
  await manager.whenUp(5_000);
  t.notMatch(JSON.stringify(log), SECRET);
});

void t.test('a restart of Asterisk is told from a blip', async (t) => {
  const { ami, manager } = await connected(t);
  for (const since of ['blip', 'restart', 'blip']) {
    const down = once(manager, 'down');
    await ami.stop();
    await down;
    t.equal(manager.connected, false);
    if (since === 'restart') ami.startedAt = performance.now();
    await ami.start();
    const up = await manager.whenUp(5_000);
    t.match(up, { since, uptimeS: ami.toldUptimeS, lastReloadS: ami.toldUptimeS });
  }
});

void t.test('cut in the middle of an event, the next connection starts clean', async (t) => {
  const made = await connected(t);
  for (let round = 0; round < 3; round++) {
    const down = once(made.manager, 'down');
    made.ami.forEvents.socket.end(recorded('cut-mid-event.txt'));
    await down;
    await made.manager.whenUp(5_000);
    t.equal((await made.manager.action('Ping')).name, 'Success');
  }
  await eventsRead(made);
  t.equal(made.events.length, 1, 'half an event is none');
  t.equal(made.ami.open.length, 2, 'no connection is left behind');
});

void t.test('an Asterisk that is still starting is waited for', async (t) => {
  const { ami, manager } = await bench(t, { pingEveryMs: 5 });
  ami.booted = false;
  manager.start();
  // Pings go on on both connections: they are logged in, and yet not used.
  await ami.waitFor('ping', 6);
  t.equal(await codeOf(manager.action('QueueStatus')), 'down', 'its queues are not loaded yet');
  t.strictSame(ami.seen('events'), []);
  ami.sayBooted(ami.forEvents);
  t.match(await manager.whenUp(5_000), { since: 'start' });
});

void t.test('one that does not say so is used, and believed when it says so later', async (t) => {
  const { ami, manager } = await bench(t, { connectDeadlineMs: 100 });
  ami.booted = false;
  manager.start();
  t.match(await manager.whenUp(5_000), { since: 'start', uptimeS: null });
  t.strictSame(ami.seen('events')[0]?.headers.get('eventmask'), ['agent,user,system'], 'it can still tell');
  const again = once(manager, 'up');
  ami.sayBooted(ami.forEvents);
  t.match(await again, [{ since: 'unknown', uptimeS: ami.toldUptimeS }]);
});

void t.test('a dead peer is noticed, a busy one is left alone', async (t) => {
  // Busy: no Pong, but events. When the second Ping comes, the time of the first was over.
  const { ami, manager, events } = await connected(t, { pingEveryMs: 20, actionDeadlineMs: 3000 });
  ami.handler = ({ name, connection }) => {
    if (name === 'ping' && connection === ami.forEvents) connection.write(recorded('user-event.txt'));
    return name === 'ping' && connection === ami.forEvents;
  };
  while (events.length < 2) await once(manager, 'event');
  t.equal(ami.connections.length, 2);
  await manager.stop();
  const dead = await connected(t, { pingEveryMs: 20, actionDeadlineMs: 300 });
  const down = once(dead.manager, 'down');
  dead.ami.handler = ({ name }) => name === 'ping';
  t.match(await down, [/does not answer/]);
  dead.ami.handler = () => false;
  await dead.manager.whenUp(5_000);
});

void t.test('whatever answers the connection, or does not, ends at a deadline', async (t) => {
  for (const greeting of ['', 'SSH-2.0-OpenSSH_9.2\r\n', 'HTTP/1.1 400 Bad Request\r\n\r\n']) {
    const { ami, manager } = await bench(t, { connectDeadlineMs: 50 });
    ami.greeting = greeting;
    ami.handler = () => true;
    manager.start();
    await ami.waitFor('login', 6);
    t.equal(await codeOf(manager.whenUp(1)), 'down');
    await manager.stop();
    while (ami.open.length > 0) await once(ami, 'close');
  }
});

void t.test('a listener that throws or rejects hurts nobody', async (t) => {
  const made = await bench(t);
  const { ami, manager, log } = made;
  for (const name of ['up', 'event', 'down'] as const) {
    manager.prependListener(name, () => {
      throw new Error(`${name} thrown`);
    });
    const rejects: () => unknown = () => Promise.reject(new Error(`${name} rejected`));
    manager.prependListener(name, rejects);
  }
  manager.start();
  await manager.whenUp(5_000);
  await eventsRead(made);
  const down = once(manager, 'down');
  ami.forActions.socket.destroy();
  await down;
  await manager.whenUp(5_000);
  t.ok(log.filter(({ level }) => level === 50).length >= 6, 'each is logged');
});

void t.test('stop says goodbye, settles everything and stays down', async (t) => {
  const { ami, manager } = await connected(t);
  ami.handler = ({ name }) => name === 'slow';
  const pending = codeOf(manager.action('Slow'));
  const down = once(manager, 'down');
  await manager.stop();
  t.equal(await pending, 'down');
  t.match(await down, ['stopped']);
  t.equal(ami.seen('logoff').length, 2);
  t.equal(await codeOf(manager.action('Ping')), 'down');
  while (ami.open.length > 0) await once(ami, 'close');
  t.equal(ami.connections.length, 2);
});

void t.test('stop while connecting, or waiting to, connects no more', async (t) => {
  for (const wait of [false, true]) {
    const { ami, manager } = await bench(t, { reconnectFirstMs: 60_000, reconnectMaxMs: 60_000 });
    ami.handler = ({ name, connection }) => {
      if (wait) connection.socket.destroy();
      return name === 'login';
    };
    manager.start();
    await ami.waitFor('login', 1);
    await manager.stop();
    const { length } = ami.connections;
    ami.handler = () => false;
    manager.start();
    t.equal(await codeOf(manager.whenUp(50)), 'down');
    t.equal(ami.connections.length, length);
  }
});

void t.test('the library prints nothing, whatever happens', async (t) => {
  const printed = t.capture(console, 'log');
  const { ami, manager } = await connected(t);
  const down = once(manager, 'down');
  await ami.stop();
  await down;
  t.equal(await codeOf(manager.action('Ping')), 'down');
  await ami.start();
  await manager.whenUp(5_000);
  await manager.stop();
  t.strictSame(printed(), []);
});

void t.test('settings that cannot be sent are a mistake told at once', (t) => {
  const settings = { host: '127.0.0.1', port: 1, username: 'u', secret: 's', events: [] };
  for (const wrong of [{ secret: 'a\nb' }, { username: 'a\r' }, { events: ['A)|(.*'] }]) {
    t.throws(() => new Manager({ ...settings, ...wrong }, pino()), { code: 'syntax' });
  }
  t.end();
});
