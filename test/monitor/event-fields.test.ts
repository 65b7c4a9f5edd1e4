import t from 'tap';
import { eventTypes } from '../../domain/event-types.js';
import { jsonText } from '../../domain/json-text.js';
import { envelopeFields, eventFamilies } from '../../domain/monitor/event-fields.js';
import { toEvent, type EventRow } from '../../domain/monitor/events.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter, leave } from '../support/doors/event-feed.js';
import { defaultNode as node } from '../support/records.js';

/** docs/events.md is made of the families: an event has each field that it names, and no other. */
const { db } = await freshDatabase(t);
await provision(db, crowd(1));

async function idOf(table: string, where: Record<string, string> = {}): Promise<number> {
  const row = await db(table).where(where).first<{ id: number } | undefined>('id');
  if (!row) throw new Error(`no row of ${table}`);
  return row.id;
}
const ids = {
  team_id: await idOf('teams', { identity: 'astercc' }),
  group_id: await idOf('agent_groups'),
  agent_id: await idOf('agents'),
  extension_id: await idOf('extensions'),
  user_id: await idOf('users', { username: 'crowd' }),
};
const { team_id, group_id, agent_id, extension_id, user_id } = ids;
const now = () => db.raw<never>('clock_timestamp()');

/** Inserts a row, and then changes it once for each of `changes`, as servers do. */
async function write(table: string, row: object, ...changes: object[]): Promise<number> {
  const [made] = await db(table).insert(row).returning<Record<string, number>[]>('*');
  const key = made && 'id' in made ? 'id' : 'call_id';
  const id = made?.[key] ?? 0;
  for (const change of changes)
    await db(table)
      .where({ [key]: id })
      .update(change);
  return id;
}
const callOf = (uniqueid: string, more: object = {}) => ({
  team_id,
  node,
  uniqueid,
  arrived_at: now(),
  ...more,
});

await t.test('events have the fields that are documented, and every type is documented once', async (t) => {
  await enter(db, 1);
  await db('sign_ins').update({ work_mode: 'inbound', current_group_id: null });
  await db('sign_ins').update({ current_group_id: group_id });
  await leave(db, 1);
  const call = await write('calls', callOf('in', { direction: 'in', group_id }));
  const visit = { team_id, node, call_id: call, group_id, joined_at: now() };
  await write(
    'queue_visits',
    { ...visit, uniqueid: 'in' },
    { outcome: 'answered', answered_at: now(), agent_id },
  );
  await write('queue_visits', { ...visit, uniqueid: 'in2' }, { outcome: 'abandoned', left_at: now() });
  const hold = { team_id, node, call: 'in', channel: 'c', extension_id, agent_id, started_at: now() };
  await write('holds', { ...hold, kind: 'hold' }, { kind: 'consult' }, { ended_at: now() });
  for (const [kind, facts] of Object.entries({
    consult: { to: '5002' },
    'consult-failed': { to: '5002', why: 'busy' },
    transferred: { to: '5002', how: 'blind' },
  }))
    await write('call_steps', {
      team_id,
      call_id: call,
      at: now(),
      key: kind,
      kind,
      facts: JSON.stringify(facts),
    });
  const ended = { ended_at: now(), outcome: 'answered' };
  const out = { direction: 'out', dialled: '0301', number: '+49301', class: 'national' };
  const clicked = await write('calls', callOf('out', { ...out, clicked: true }));
  const click = { call_id: clicked, team_id, agent_id, extension_id, auto_answer: false, given_by: 'crm' };
  await write(
    'clicks',
    click,
    { agent_ringing_at: now() },
    { agent_ended_at: now(), agent_result: 'answered' },
  );
  const missed = await write('calls', callOf('out2', { ...out, clicked: true }));
  await write('clicks', { ...click, call_id: missed }, { agent_ended_at: now(), agent_result: 'busy' });
  for (const change of [{ ringing_at: now() }, { answered_at: now() }, ended])
    await db('calls').where({ id: clicked }).update(change);
  await write(
    'calls',
    callOf('112', { ...out, number: '112', class: 'emergency', from_extension_id: extension_id }),
  );
  const limit = { of: 'team', name: 'astercc', limit: 'calls-per-hour', most: 1, refused: 1 };
  await write('limits_reached', { team_id, ...limit, reached_at: now(), last_at: now() }, { over_at: now() });
  const listened = { user_id, from_extension_id: extension_id, extension_id, agent_id, group_id, node };
  const supervision = {
    team_id,
    ...listened,
    by_call: 'x',
    call_uniqueid: 'in',
    mode: 'listen',
    announced: false,
  };
  await write('supervisions', supervision, { ended_at: now() });
  const later = db.raw<never>("now() + interval '1 hour'");
  const callback = {
    team_id,
    group_id,
    call_id: call,
    number: '+49302',
    arrived_at: now(),
    expires_at: later,
  };
  await write('callbacks', callback, { called_put: 1 }, ended);
  await write('callbacks', callback, { ended_at: now(), outcome: 'expired' });
  const shown = {
    team_id,
    node,
    channel: 'c',
    call: 'in',
    call_id: call,
    kind: 'queue',
    application: 'campaign',
  };
  await write(
    'popups',
    { ...shown, extension_id, agent_id, username: 'crowd', group_id, opened_at: now() },
    { answered_at: now() },
    { closed_at: now(), outcome: 'answered' },
  );
  const secret = `whsec_${'A'.repeat(43)}=`;
  await write(
    'webhooks',
    { team_id, name: 'crm', url: 'https://crm.example.org/', secret },
    { enabled: false, disabled_for: 'gone' },
  );

  const rows = await db('events').orderBy('id').select<EventRow[]>('era', 'xid', 'id', 'at', 'type', 'data');
  const documented = eventFamilies.flatMap(({ when, fields }) =>
    Object.keys(when).map((type) => ({ type, fields })),
  );
  t.same(documented.map(({ type }) => type).sort(), [...eventTypes].sort());
  t.same([...new Set(rows.map(({ type }) => type))].sort(), [...eventTypes].sort(), 'each was written here');
  t.equal(new Set(rows.map((row) => toEvent(row).cursor)).size, rows.length, 'a cursor is of one event');
  for (const row of rows) {
    const told = Object.keys(JSON.parse(jsonText(toEvent(row))) as object);
    const names = Object.keys(documented.find(({ type }) => type === row.type)?.fields ?? {});
    const all = [...Object.keys(envelopeFields), ...names.map((name) => name.replace('?', ''))];
    const optional = names.filter((name) => name.endsWith('?')).map((name) => name.slice(0, -1));
    t.same(
      told.filter((name) => !all.includes(name)),
      [],
      `${row.type} says nothing else`,
    );
    t.same(
      all.filter((name) => !told.includes(name) && !optional.includes(name)),
      [],
      `${row.type} says all of it`,
    );
  }
});
