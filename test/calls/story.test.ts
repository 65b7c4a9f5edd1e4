import pino from 'pino';
import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { readStory } from '../../domain/calls/records/story.js';
import { CallSteps, type CallStep } from '../../domain/calls/records/steps.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { callerOf, defaultNode } from '../support/records.js';

const { url, db } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(1, { team: 'other', did: '600200' }));
await setTeam(db, 'astercc', { timeZone: 'Asia/Tokyo' });
const records = new CallRecords(db, defaultNode);
const silent = pino({ level: 'silent' });
const signInIds: number[] = [];
for (const number of ['1', '2']) {
  const entered = await signIn(db, 'astercc', {
    agent: `100${number}`,
    extension: `500${number}`,
    by: 'test',
  });
  if (entered.outcome === 'signed-in') signInIds.push(entered.signIn.id);
}
const [first = 0, second = 0] = signInIds;

/** Writes steps as a server does, and returns how many statements that took. */
async function tell(...steps: CallStep[]): Promise<number> {
  let statements = 0;
  const hear = ({ sql }: { sql: string }): void => void (statements += sql.includes('call_steps') ? 1 : 0);
  db.on('query', hear);
  const writer = new CallSteps(db, defaultNode, silent);
  for (const step of steps) writer.add(step);
  await writer.flush();
  db.removeListener('query', hear);
  return statements;
}
const says = async (call: string): Promise<string[]> =>
  (await readStory(db, 'astercc', call)).story.map((entry) => entry.says);
/** Sets the moments of call-1 in one go, however long the test has taken to tell of them: an offer of 15 s, and a talk of 3:12. */
const timed = () => {
  const ago = (seconds: number): string => `now() - interval '${seconds} seconds'`;
  return db.raw(`
    update calls set arrived_at = ${ago(207)}, answered_at = ${ago(192)}, ended_at = now();
    update queue_visits set joined_at = ${ago(207)}, answered_at = ${ago(192)}, left_at = now();
    update offers set offered_at = ${ago(207)}, ended_at = ${ago(192)} where uniqueid = 'offer-1';
    update offers set offered_at = ${ago(192)}, answered_at = ${ago(192)}, ended_at = now() where uniqueid = 'offer-2';
    update recordings set started_at = ${ago(192)}, ended_at = now();
    update call_steps set at = case kind when 'parted' then now() else ${ago(207)} end`);
};

await t.test('a call from its arrival to its end', async (t) => {
  const caller = callerOf('astercc-support', 'call-1');
  const file = 'star64/astercc/2026-11-26/default-call-1-1.wav';
  // Told before the call is recorded, as it is when the journal writes it.
  const writer = new CallSteps(db, defaultNode, silent);
  writer.add({ call: 'call-1', kind: 'did', facts: { did: '600100', to: 'hours:office' }, key: 'did' });
  writer.add({
    call: 'call-1',
    kind: 'hours',
    facts: { hours: 'office', state: 'open', to: 'group:support' },
    key: 'hours-0',
  });
  await records.joined(caller, { number: '+4930', position: 3 });
  await db('calls').update({ did: '600100' });
  await writer.flush();
  await records.offered(caller, 'offer-1', first);
  await records.offersEnded([{ offerId: 'offer-1', result: 'missed' }]);
  await records.offered(caller, 'offer-2', second);
  await records.answered(caller, 'offer-2', '1002');
  await tell({ call: 'call-1', kind: 'recording', facts: { file } });
  t.equal(
    await tell(
      { call: 'call-1', kind: 'parted', facts: { agent: '1002', reason: 'caller' } },
      ...Array.from({ length: 20 }, (_, n) => ({ call: `of-two-phones-${n}`, kind: 'menu' })),
    ),
    1,
    'one statement for all that waits',
  );
  await records.offersEnded([{ offerId: 'offer-2', result: null }]);
  await records.callsEnded([caller]);
  await timed();
  t.same(await says('call-1'), [
    'call from +4930 for 600100',
    '600100 leads to hours:office',
    'hours office: open, so on to group:support',
    'joins the queue of support at place 3',
    'offered to agent 1001 at 5001: missed after 15 s',
    'answered by agent 1002 at 5002 after a wait of 15 s',
    `recorded as ${file}, 3:12`,
    'the caller hangs up',
    'the talk with agent 1002 is over after 3:12',
    'over after 3:27: answered',
  ]);
  const story = await readStory(db, 'astercc', 'call-1');
  t.match(story, {
    caller: '+4930',
    outcome: 'answered',
    timeZone: 'Asia/Tokyo',
    recordings: [{ file, deletedAt: null }],
  });
  t.same((await readStory(db, 'astercc', String(story.id))).uniqueid, 'call-1', 'by its id as well');

  const env = { DATABASE_URL: url };
  const shown = await cli(['call', 'show', 'call-1'], { env });
  t.match(shown.err, 'times of Asia/Tokyo');
  const tokyo = new Date(story.arrivedAt.getTime() + 9 * 3_600_000)
    .toISOString()
    .slice(0, 19)
    .replace('T', ' ');
  t.equal(shown.out.split('\n')[0], `${tokyo}\tcall from +4930 for 600100`, 'times of the team');
  const json = JSON.parse((await cli(['--json', 'call', 'show', 'call-1'], { env })).out) as {
    story: { kind: string; facts: object; says: string }[];
  };
  t.match(json.story[4], {
    kind: 'offered',
    facts: { agent: '1001', extension: '5001', result: 'missed', seconds: 15 },
  });
  t.match(
    (await cli(['call', 'list'], { env })).out,
    /\t\+4930\t600100\tsupport\t\t1002\tanswered\tcall-1\tin\t\t\t\t[0-9]+\t\t0\t0\n$/,
  );
  t.match(JSON.parse((await cli(['--json', 'call', 'list', '--caller', '+4930'], { env })).out), {
    calls: [{ uniqueid: 'call-1', recordings: 1 }],
    next: null,
  });
  t.match(await cli(['call', 'show', "'; drop"], { env }), {
    status: 4,
    err: /not recorded in team astercc: .*call list/,
  });
  t.match(
    await cli(['--team', 'other', 'call', 'show', 'call-1'], { env }),
    { status: 4 },
    'the wall between teams',
  );
  for (const since of ['yesterday', '2026-02-30', '2026-02-30T08:00', '0000-01-01', '2026-13-01'])
    t.match(await cli(['call', 'list', '--since', since], { env }), { status: 2, err: 'Type 90s' }, since);
  for (const since of ['2024-02-29', '0001-01-01', '2026-02-28T24:00'])
    t.match(await cli(['call', 'list', '--since', since], { env }), { status: 0 }, since);
  t.equal((await cli(['call', 'list', '--since', '2999-01-01'], { env })).out, '');
});

await t.test(
  'a step that is told before its call is recorded waits for it, and one without a call is dropped',
  async (t) => {
    const writer = new CallSteps(db, defaultNode, silent, {
      delayMs: 1,
      retryMs: 1,
      patienceMs: 60_000,
      keep: 10,
      batch: 2,
    });
    for (const key of ['1', '2', '3'])
      writer.add({ call: 'call-2', kind: 'menu', facts: { menu: 'main', key } });
    await writer.flush();
    t.equal((await db('call_steps').where({ kind: 'menu' })).length, 0);
    await records.joined(callerOf('astercc-support', 'call-2'));
    await writer.flush();
    // In two batches: of what is told in one moment, either may be first.
    t.same((await says('call-2')).filter((line) => line.startsWith('menu')).sort(), [
      'menu main: key 1',
      'menu main: key 2',
      'menu main: key 3',
    ]);
    await writer.flush();
    t.equal((await db('call_steps').where({ kind: 'menu' })).length, 3, 'once');
    const impatient = new CallSteps(db, defaultNode, silent, {
      delayMs: 1,
      retryMs: 1,
      patienceMs: 0,
      keep: 10,
      batch: 2,
    });
    impatient.add({ call: 'call-3', kind: 'menu' });
    await impatient.flush();
    await records.joined(callerOf('astercc-support', 'call-3'));
    await impatient.flush();
    t.notOk((await says('call-3')).includes('menu ?: no key'));
  },
);

await t.test('a step is one, though its answer was lost and another server tells it as well', async (t) => {
  await records.joined(callerOf('astercc-support', 'call-6'));
  let lost = 1;
  // PostgreSQL has written it, and the connection ends before it says so.
  const losing = {
    raw: (sql: string, values: never) => ({
      options: async (options: { name: string }) => {
        const result: unknown = await db.raw(sql, values).options(options);
        if (lost-- > 0) throw new Error('Connection terminated unexpectedly');
        return result;
      },
    }),
  } as unknown as typeof db;
  const settings = { delayMs: 3_600_000, retryMs: 3_600_000, patienceMs: 60_000, keep: 10, batch: 10 };
  const writer = new CallSteps(losing, defaultNode, silent, settings);
  const did = { call: 'call-6', kind: 'did', facts: { did: '600100', to: 'group:support' }, key: 'did' };
  const key = { call: 'call-6', kind: 'menu', facts: { menu: 'main', key: '1' } };
  for (const step of [did, key, key]) writer.add(step);
  await writer.flush();
  await writer.flush();
  t.equal(lost, -1, 'written twice');
  await tell(did);
  t.same((await says('call-6')).slice(1), [
    '600100 leads to group:support',
    'joins the queue of support',
    'menu main: key 1',
    'menu main: key 1',
  ]);
  await records.joined(callerOf('astercc-support', 'call-7'));
  await tell({ ...did, call: 'call-7' });
  t.ok((await says('call-7')).includes('600100 leads to group:support'), 'of another call it is another one');
});

await t.test('recordings: of the own team, each with its end, and nothing else is believed', async (t) => {
  await records.joined(callerOf('astercc-support', 'call-4'));
  const file = (n: number | string, team = 'astercc'): string =>
    `star64/${team}/2026-11-26/default-call-4-${n}.wav`;
  await tell(
    { call: 'call-4', kind: 'recording', facts: { file: file(1) } },
    { call: 'call-4', kind: 'recording', facts: { file: file(1) } },
    { call: 'call-4', kind: 'recording', facts: { file: file(2, 'other') } },
    { call: 'call-4', kind: 'recording', facts: { file: 'star64/astercc/../../etc/passwd' } },
    { call: 'call-4', kind: 'recording' },
  );
  const known = async () =>
    (await readStory(db, 'astercc', 'call-4')).recordings.map((one) => [one.file, one.endedAt !== null]);
  t.equal((await known()).length, 1);
  await tell({ call: 'call-4', kind: 'recording', facts: { file: file(3) } });
  await tell({ call: 'call-4', kind: 'recorded', facts: { file: file(1) } });
  t.same(await known(), [
    [file(1), true],
    [file(3), false],
  ]);
  await tell(
    { call: 'call-4', kind: 'recording', facts: { file: file(5) } },
    { call: 'call-4', kind: 'recorded', facts: { file: file(5) } },
  );
  t.same((await known())[2], [file(5), true], 'both at once');
  await tell({ call: 'call-4', kind: 'recording', facts: { file: file(4) } });
  await records.callsEnded([callerOf('', 'call-4')]);
  t.same((await known())[3], [file(4), true], 'with the call');
  t.same((await known())[1], [file(3), true]);
});

await t.test('hostile facts are kept as text, and shown in one line', async (t) => {
  await records.joined(callerOf('astercc-support', 'call-5'), { number: "+49'\n\u001b[2J" });
  await tell(
    {
      call: 'call-5',
      kind: 'menu',
      facts: {
        menu: "m'; drop table calls;--\0\ud800\n",
        key: 'x'.repeat(5000),
        'Not A Name': 'x',
        __proto__: 'x',
      },
    },
    { call: 'call-5', kind: 'No Kind' },
    { call: "call-5'\0\ud800", kind: 'menu' },
  );
  for (const line of await says('call-5')) t.notMatch(line, /\p{Cc}/u);
  t.equal((await says('call-5')).length, 3);
});

await t.test('all of it goes with its call', async (t) => {
  await db('calls').delete();
  for (const table of ['call_steps', 'recordings']) t.equal((await db(table)).length, 0, table);
});
