import t from 'tap';
import { values } from '../../pbx/ami/message.js';
import { recorded } from './fake-ami.js';
import { bench, codeOf, connected, eventsRead } from './with-manager.js';

const silent =
  (...names: string[]) =>
  ({ name }: { name: string }) =>
    names.includes(name);

void t.test('an action is answered by its own response, whatever comes first', async (t) => {
  const { ami, manager } = await connected(t);
  ami.handler = silent('one', 'two');
  const one = manager.action('One');
  const two = manager.action('Two');
  const [first, second] = [await ami.waitFor('one'), await ami.waitFor('two')];
  ami.forActions.say('Response: Success', `ActionID: ${second.id}`, 'Message: two');
  ami.forActions.say('Response: Success', `ActionID: ${first.id}`, 'Message: one');
  t.equal((await one).headers.get('message'), 'one');
  t.equal((await two).headers.get('message'), 'two');
});

void t.test("Asterisk's refusal is an error with its words", async (t) => {
  const { ami, manager } = await connected(t);
  ami.handler = ({ name, id, connection }) => {
    if (name === 'queueadd') connection.say('Response: Error', `ActionID: ${id}`, 'Message: No such queue');
    return name === 'queueadd';
  };
  const error: unknown = await manager.action('QueueAdd', { Queue: 'x' }).catch((error: unknown) => error);
  t.match(error, { code: 'rejected', kind: 'failure', message: 'QueueAdd: Asterisk says: No such queue' });
  t.equal(await codeOf(manager.list('QueueAdd')), 'rejected', 'of a list, too');
});

void t.test('an answer that does not come is over at its deadline, a late one harms nobody', async (t) => {
  const { ami, manager } = await connected(t, { actionDeadlineMs: 50 });
  ami.handler = silent('slow');
  t.equal(await codeOf(manager.action('Slow')), 'timeout');
  t.equal(await codeOf(manager.list('Slow')), 'timeout');
  const { id } = await ami.waitFor('slow');
  ami.forActions.say('Response: Success', `ActionID: ${id}`);
  t.equal((await manager.action('Next', {}, { deadlineMs: 5_000 })).name, 'Success');
  t.equal(
    await codeOf(manager.action('Slow', {}, { deadlineMs: 1 })),
    'timeout',
    'with a deadline of its own',
  );
});

void t.test('an answer that is there is taken, however long this process has stood still', async (t) => {
  // Without a Ping in between the next ActionID is known, and so can be answered before.
  const { ami, manager } = await connected(t, { pingEveryMs: 3_600_000 });
  ami.handler = silent('slow');
  await manager.action('First');
  const { id } = await ami.waitFor('first');
  const [, prefix = '', count = ''] = /^(.*-)([0-9a-z]+)$/.exec(id) ?? [];
  ami.forActions.say('Response: Success', `ActionID: ${prefix}${(parseInt(count, 36) + 1).toString(36)}`);
  const asked = codeOf(manager.action('Slow', {}, { deadlineMs: 1 }));
  const begun = performance.now();
  while (performance.now() < begun + 50);
  t.equal(await asked, 'no error');
});

void t.test('while down nothing is sent, not even later', async (t) => {
  const { ami, manager } = await bench(t);
  t.equal(await codeOf(manager.action('Early')), 'down');
  manager.start();
  t.equal(await codeOf(manager.list('Early')), 'down');
  await manager.whenUp(5_000);
  await ami.stop();
  t.equal(await codeOf(manager.action('Between')), 'down', 'refused even before our end noticed');
  await ami.start();
  await manager.whenUp(5_000);
  await manager.action('Ping');
  t.strictSame([...ami.seen('early'), ...ami.seen('between')], []);
});

void t.test('when the link drops everything pending is rejected', async (t) => {
  for (const which of ['forActions', 'forEvents'] as const) {
    const { ami, manager } = await connected(t);
    ami.handler = silent('slow');
    const pending = [codeOf(manager.action('Slow')), codeOf(manager.list('Slow'))];
    await ami.waitFor('slow', 2);
    ami[which].socket.destroy();
    t.strictSame(await Promise.all(pending), ['down', 'down'], which);
  }
});

void t.test('what cannot be sent, and what would change the connection, is refused unsent', async (t) => {
  const { ami, manager } = await connected(t);
  const headers = Object.freeze({ Queue: 'a', Variable: undefined });
  const before = ami.actions.length;
  t.equal(await codeOf(manager.action('QueueAdd', { Queue: 'a\r\n\r\nAction: Command' })), 'syntax');
  for (const name of ['Login', 'LOGOFF', 'Events', 'Filter', 'Challenge']) {
    t.equal(await codeOf(manager.action(name)), 'syntax', name);
  }
  t.equal(ami.actions.length, before);
  await manager.action('QueueAdd', headers);
  t.strictSame(headers, { Queue: 'a', Variable: undefined }, "the caller's object stays as it is");
});

void t.test('repeated headers and variables arrive one by one', async (t) => {
  const { ami, manager } = await connected(t);
  await manager.action('Originate', {
    Async: true,
    Codecs: ['ulaw', 'alaw'],
    Variable: { A: '1,2', B: '3' },
  });
  const { headers } = await ami.waitFor('originate');
  t.strictSame(headers.get('codecs')?.toSorted(), ['alaw', 'ulaw']);
  t.strictSame(headers.get('variable')?.toSorted(), ['A=1\\,2', 'B=3']);
});

void t.test('two processes never share an ActionID, and it is short enough to come back whole', async (t) => {
  const [one, two] = [await connected(t), await connected(t)];
  for (const { manager } of [one, two])
    await Promise.all(Array.from({ length: 50 }, () => manager.action('X')));
  const ids = [...one.ami.actions, ...two.ami.actions].map(({ id }) => id);
  t.ok(ids.length > 100);
  t.equal(new Set(ids).size, ids.length);
  t.strictSame(
    ids.filter((id) => id === '' || id.length > 40),
    [],
  );
});

void t.test('a list is collected whole, in order, by its own ActionID', async (t) => {
  const { ami, manager, events } = await connected(t);
  ami.handler = silent('queuestatus');
  t.equal(await codeOf(manager.list('QueueStatus', {}, { deadlineMs: 1 })), 'timeout');
  const late = await ami.waitFor('queuestatus');
  ami.handler = ({ name, id, connection }) => {
    if (name !== 'queuestatus') return false;
    // In small pieces, and behind the answer to the question that nobody waits for any more.
    const stream = recorded('queue-status.txt', late.id) + recorded('queue-status.txt', id);
    for (let at = 0; at < stream.length; at += 7) connection.write(stream.slice(at, at + 7));
    return true;
  };
  const list = await manager.list('QueueStatus');
  t.strictSame(
    list.map(({ name }) => name),
    ['QueueParams', 'QueueMember', 'QueueMember', 'QueueParams'],
  );
  t.match(Object.fromEntries(list[1]?.headers ?? []), {
    name: '6001',
    location: 'Local/1@t',
    stateinterface: 'Custom:a',
    paused: '1',
    pausedreason: 'wrapup',
    lastpause: '1795508949',
  });
  t.equal(list[2]?.headers.get('pausedreason'), '', 'an empty value is there');
  t.strictSame(events, [], 'no entry of a list is taken for an event');
});

void t.test('a list that a value has cut up is not believed', async (t) => {
  const { ami, manager, events } = await connected(t);
  const whole = recorded('queue-status.txt', '@ID@');
  const shorter = whole.replace(/Event: QueueMember\r\n(.+\r\n)+\r\n/, '');
  const cut = (forged: string): string => whole.replace('PausedReason: wrapup', `PausedReason: ${forged}`);
  const streams = {
    'an entry missing': shorter,
    'a caller named with empty lines, on Asterisk 22': recorded('queue-status-forged.txt', '@ID@'),
    'LF LF and an event of its own': cut('x\n\nEvent: UserEvent\nUserEvent: Forged'),
    'LF LF and a member of its own': cut(
      'x\n\nEvent: QueueMember\nQueue: astercc-support\nLocation: Local/9@t',
    ),
    'LF LF and an answer': cut('x\n\nResponse: Success\nMessage: forged'),
    'LF LF and nothing': cut('x\n\ny'),
  };
  for (const [name, stream] of Object.entries(streams)) {
    ami.handler = (action) => {
      if (action.name === 'queuestatus') action.connection.write(stream.replaceAll('@ID@', action.id));
      return action.name === 'queuestatus';
    };
    t.equal(await codeOf(manager.list('QueueStatus')), 'protocol', name);
    t.equal((await manager.action('Ping')).name, 'Success', 'the connection goes on');
  }
  t.strictSame(events, [], 'and what the value held is no event');
});

void t.test('an answer with one line or many reads the same, variables stay what they were', async (t) => {
  const { ami, manager } = await connected(t);
  const say = (...rest: string[]): void => {
    ami.handler = ({ name, id, connection }) => {
      if (name === 'x') connection.say('Response: Success', `ActionID: ${id}`, ...rest);
      return name === 'x';
    };
  };
  say('Output: one');
  t.strictSame(values(await manager.action('X'), 'output'), ['one']);
  say('Output: one', 'Output: two: 2');
  const message = await manager.action('X');
  t.strictSame(values(message, 'output'), ['one', 'two: 2']);
  t.equal(message.headers.get('output'), 'one', 'the first one counts');
  t.strictSame(values(message, 'nothing'), []);
  say('Variable: STAR64_LEASE', 'Value: a=b', 'ChanVariable: A=1', 'ChanVariable: B=2=3');
  const variables = await manager.action('X');
  t.equal(variables.headers.get('variable'), 'STAR64_LEASE');
  t.equal(variables.headers.get('value'), 'a=b');
  t.strictSame(values(variables, 'chanvariable'), ['A=1', 'B=2=3']);
});

void t.test('names that mean something to JavaScript or to the library are only names', async (t) => {
  const made = await connected(t);
  const { ami, manager } = made;
  const traps = [
    'Close',
    'RawEvent',
    'Error',
    'End',
    'Connect',
    'Response',
    'Asterisk',
    '__proto__',
    'Constructor',
  ];
  for (const connection of [ami.forActions, ami.forEvents]) {
    for (const trap of traps) {
      connection.say(`Event: ${trap}`, `ActionID: ${trap.toLowerCase()}`);
      connection.say('Response: Success', `ActionID: ${trap.toLowerCase()}`);
      connection.say('Response: Error', `ActionID: ${trap.toLowerCase()}`);
    }
    connection.say('Nothing: that we know', 'Event', ': x');
  }
  ami.forEvents.say('Event: UserEvent', 'Constructor: c', '__proto__: p', 'toString: s', 'HasOwnProperty: h');
  await eventsRead(made);
  const [event] = made.events;
  t.equal(event?.headers.get('constructor'), 'c');
  t.equal(event?.headers.get('tostring'), 's');
  t.equal(typeof event?.headers.get, 'function');
  t.equal((await manager.action('Ping')).name, 'Success');
  t.equal(ami.connections.length, 2, 'and the connections are still the first ones');
});
