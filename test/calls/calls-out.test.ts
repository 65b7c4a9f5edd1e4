import { pino } from 'pino';
import t, { type Test } from 'tap';
import { CallOutJournal } from '../../domain/calls/outbound/call-out-journal.js';
import type { CallOut } from '../../domain/calls/outbound/calls-out.js';
import { CallOutRecords, type CallOutTold } from '../../domain/calls/outbound/calls-out-records.js';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { readStory } from '../../domain/calls/records/story.js';
import { addUserGroup } from '../../domain/provisioning/people/user-group.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { defaultNode } from '../support/records.js';

const silent = pino({ enabled: false });

async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  const journal = new CallOutJournal(db, defaultNode, silent);
  return { db, journal, records: new CallOutRecords(db, defaultNode) };
}

const decided: CallOut = {
  uniqueid: 'out.1',
  team: 'astercc',
  dialled: '030123456',
  number: '+4930123456',
  class: 'national',
  refused: null,
  extension: '5001',
  agent: '1001',
  userGroup: null,
};
const nothing: CallOutTold = {
  uniqueid: 'out.1',
  team: 'astercc',
  ringingAgo: null,
  answeredAgo: null,
  leg: null,
  legEndedAgo: null,
  endedAgo: null,
  final: false,
  talked: null,
  outcome: null,
  refused: null,
  cause: null,
  endedBy: null,
  trunk: null,
  tries: [],
};
const row = (uniqueid = 'out.1') => `select c.*, u.name as payer, x.number as extension, a.number as agent,
  extract(epoch from leg_ended_at - leg_answered_at)::float as talked from calls c left join users u on u.id = c.user_id
  left join extensions x on x.id = c.from_extension_id left join agents a on a.id = c.from_agent_id
  where uniqueid = '${uniqueid}'`;

void t.test('who calls out, who pays, and what of it is one record, whoever tells it', async (t) => {
  const { db, journal, records } = await site(t);
  await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  // The dialplan's own word comes first, and of the server's nothing is lost.
  const own = { ...decided, class: null, agent: null, decided: false, secondsAgo: 60 };
  t.same(await records.begun([own, own]), ['out.1']);
  journal.add(decided);
  journal.add(decided);
  await journal.flush();
  await records.told([
    {
      ...nothing,
      ringingAgo: 50,
      answeredAgo: 40,
      leg: 'leg.1',
      trunk: 'provider',
      tries: [
        {
          key: '1',
          position: 1,
          trunk: 'other',
          sent: '0049',
          secondsAgo: 52,
          milliseconds: 20,
          code: 503,
          cause: 34,
          outcome: 'failed',
        },
        {
          key: '2',
          position: 2,
          trunk: 'provider',
          sent: '+4930123456',
          secondsAgo: 50,
          milliseconds: 10_000,
          code: 200,
          cause: null,
          outcome: 'answered',
        },
      ],
    },
  ]);
  // Its caller has sent it on: it goes on as long as the channel to the trunk.
  await records.told([{ ...nothing, endedAgo: 30, endedBy: 'caller', cause: 16, outcome: 'answered' }]);
  const { rows: before } = await db.raw<{ rows: unknown[] }>(row());
  t.match(before, [{ ended_at: null, outcome: 'answered', ended_by: 'caller' }]);
  t.same(await records.legsEnded([{ leg: 'leg.1', secondsAgo: 10 }]), ['leg.1']);
  const { rows } = await db.raw<{ rows: { talked: number; answered_at: Date; ended_at: Date }[] }>(row());
  t.match(rows, [
    {
      direction: 'out',
      number: '+4930123456',
      class: 'national',
      extension: '5001',
      agent: '1001',
      payer: String,
      trunk: 'provider',
      outcome: 'answered',
      cause: 16,
      ended_at: Date,
    },
  ]);
  t.ok(
    Math.abs((rows[0]?.talked ?? 0) - 30) < 5,
    'talked from the answer to the end of the channel to the trunk',
  );
  t.match(await db('call_tries').orderBy('position').select(), [
    { trunk: 'other', code: 503, outcome: 'failed' },
    { trunk: 'provider', code: 200, outcome: 'answered' },
  ]);
});

void t.test('its story says who dialled what, over which trunks it went, and who hung up', async (t) => {
  const { db, journal, records } = await site(t);
  journal.add(decided);
  await journal.flush();
  await db.raw(`update calls set arrived_at = arrived_at - interval '1 minute'`);
  const tried = { sent: '030123456', cause: null, milliseconds: 1500 };
  await records.told([
    {
      ...nothing,
      ringingAgo: 48,
      answeredAgo: 40,
      endedAgo: 10,
      final: true,
      endedBy: 'callee',
      outcome: 'answered',
      trunk: 'two',
      tries: [
        { ...tried, key: '1', position: 1, trunk: 'one', secondsAgo: 50, code: 503, outcome: 'failed' },
        { ...tried, key: '2', position: 2, trunk: 'two', secondsAgo: 49, code: 200, outcome: 'answered' },
      ],
    },
  ]);
  // It dialled 50 s before its end, however long the test has taken to tell of it.
  await db.raw(`update calls set arrived_at = ended_at - interval '50 s'`);
  const { story, tries, direction, payer } = await readStory(db, 'astercc', 'out.1');
  t.same(
    story.map(({ says }) => says),
    [
      'agent 1001 at 5001 dials 030123456, which is +4930123456 (national)',
      'trunk one is sent 030123456: the trunk failed (SIP 503) after 1.5 s',
      'trunk two is sent 030123456: answered (SIP 200) after 1.5 s',
      'it rings',
      'over after 50 s: answered, talked 30 s, who was called hung up',
    ],
  );
  t.match(
    { direction, payer, tries },
    { direction: 'out', payer: 'crowd', tries: [{ code: 503 }, { code: 200 }] },
  );
});

void t.test('a refused call is over at once, and why stands there', async (t) => {
  const { db, journal } = await site(t);
  journal.add({ ...decided, refused: 'class', class: 'premium', number: '+49900123' });
  await journal.flush();
  t.match(await db('calls').select(), [
    { outcome: 'refused', refused: 'class', ended_at: Date, answered_at: null },
  ]);
  const types = await db('events').orderBy('id').pluck<string[]>('type');
  t.same(types, ['call.dialled', 'call.ended'], 'and whoever follows hears of a call that was dialled');
});

void t.test('a call that came in and is sent on to a number outside stays one that came in', async (t) => {
  const { db, journal, records } = await site(t);
  const arrivals = new CallJournal(db, defaultNode, silent);
  arrivals.add({ uniqueid: 'out.1', team: 'astercc', did: '600100', caller: '+4917', destination: null });
  await arrivals.flush();
  journal.add(decided);
  await journal.flush();
  await records.told([{ ...nothing, answeredAgo: 20, leg: 'leg.1', trunk: 'provider' }]);
  await records.legsEnded([{ leg: 'leg.1', secondsAgo: 5 }]);
  const { rows } = await db.raw<{ rows: unknown[] }>(row());
  t.match(rows, [
    {
      direction: 'in',
      did: '600100',
      number: '+4930123456',
      trunk: 'provider',
      ended_at: null,
      leg_ended_at: Date,
    },
  ]);
});

void t.test('a server has decided that no user group had a say: nobody guesses one over it', async (t) => {
  const { db, journal, records } = await site(t);
  await addUserGroup(db, 'astercc', { name: 'sales', users: { add: ['crowd'] } });
  const guessed = { ...decided, agent: null, decided: false, secondsAgo: 1 };
  const groups = async () =>
    (
      await db('calls as c')
        .leftJoin('user_groups as g', 'g.id', 'c.user_group_id')
        .orderBy('c.uniqueid')
        .select<{ name: string | null }[]>('g.name')
    ).map(({ name }) => name);
  journal.add(decided);
  await journal.flush();
  await records.begun([guessed]);
  t.same(await groups(), [null]);
  // The other way round, and a call about which no server has decided.
  await records.begun([
    { ...guessed, uniqueid: 'out.2' },
    { ...guessed, uniqueid: 'out.3' },
  ]);
  journal.add({ ...decided, uniqueid: 'out.2' });
  await journal.flush();
  t.same(await groups(), [null, null, 'sales']);
});

void t.test(
  'a call that came in, and may not be sent on, stays what it was, and its story says so',
  async (t) => {
    const { db, journal, records } = await site(t);
    await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
    const arrivals = new CallJournal(db, defaultNode, silent);
    for (const uniqueid of ['out.1', 'out.2'])
      arrivals.add({ uniqueid, team: 'astercc', did: '600100', caller: '+4917', destination: null });
    await arrivals.flush();
    const refused = { ...decided, refused: 'class', class: 'premium', number: '+49900123' };
    journal.add(refused);
    await journal.flush();
    await records.begun([{ ...refused, decided: false, secondsAgo: 1 }]);
    // Without a server it is looked up who is signed in at the phone that sends it on.
    await records.begun([{ ...decided, uniqueid: 'out.2', agent: null, decided: false, secondsAgo: 0 }]);
    t.match(await db('calls').orderBy('uniqueid').select(), [
      {
        direction: 'in',
        number: null,
        class: null,
        user_id: null,
        refused: null,
        group_id: null,
        decided: false,
      },
      { direction: 'in', number: '+4930123456', user_id: Number, group_id: null },
    ]);
    const { story } = await readStory(db, 'astercc', 'out.1');
    t.same(
      story.map(({ says }) => says).filter((says) => says.includes('refused')),
      ['agent 1001 at 5001 wants to send it on to +49900123 (premium), and is refused: class'],
    );
  },
);

void t.test('one that PostgreSQL refuses takes no other with it', async (t) => {
  const { db, journal } = await site(t);
  for (const n of [1, 2, 3, 4, 5]) {
    const uniqueid = n === 3 ? 'out\0' : `out.${n}`;
    journal.add({ ...decided, uniqueid });
  }
  await journal.flush();
  t.same(await db('calls').orderBy('uniqueid').pluck('uniqueid'), ['out.1', 'out.2', 'out.4', 'out.5']);
});

void t.test('a limit that the trunks met is why a call was refused', async (t) => {
  const { db, journal, records } = await site(t);
  journal.add(decided);
  await journal.flush();
  await records.told([{ ...nothing, endedAgo: 1, outcome: 'refused', refused: 'limit', endedBy: 'system' }]);
  t.match(await db('calls').select(), [
    { outcome: 'refused', refused: 'limit', ended_at: Date, answered_at: null },
  ]);
});
