import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { openStateOf, transition } from '../../domain/presence/agent-state.js';
import { signIn } from '../../domain/presence/sign-in.js';
import {
  statesBefore,
  transitions,
  transitionTable,
  type StateEvent,
} from '../../domain/presence/transitions.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

const golden = new URL('../../../fixtures/transitions.txt', import.meta.url);

void t.test('the table is what people have read', async (t) => {
  const table = `${transitionTable()}\n`;
  if (process.env['STAR64_UPDATE_FIXTURES'] === '1') await writeFile(golden, table);
  t.equal(table, await readFile(golden, 'utf8'));
});

const states = ['idle', 'ringing', 'talking', 'wrap-up', 'paused'] as const;
/** By which event a test gets an idle agent into each state. */
const into: Record<(typeof states)[number], StateEvent[]> = {
  idle: [],
  ringing: ['offer'],
  talking: ['offer', 'connect'],
  'wrap-up': ['offer', 'connect', 'wrap-up'],
  paused: ['pause'],
};
const events = Object.keys(transitions).filter((event): event is StateEvent =>
  ['idle', 'ringing', 'talking', 'wrap-up', 'paused'].includes(transitions[event as StateEvent].to),
);

void t.test('every event in every state does what the table says, and nothing else', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  const entered = await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
  const { id } = entered.signIn;
  for (const state of states) {
    for (const event of events.filter((one) => one !== ('sign-in' as StateEvent))) {
      await db('agent_states').where({ sign_in_id: id }).delete();
      await db('agent_states').insert({
        team_id: entered.signIn.teamId,
        agent_id: entered.signIn.agentId,
        sign_in_id: id,
        state: 'idle',
      });
      for (const step of into[state]) await transition(db, id, step);
      t.equal((await openStateOf(db, id))?.state, state);
      const begun = await transition(db, id, event);
      const allowed = statesBefore(event, true).includes(state);
      t.equal(begun?.state, allowed ? transitions[event].to : undefined, `${event} in ${state}`);
      t.equal((await openStateOf(db, id))?.state, allowed ? transitions[event].to : state);
      if (begun) t.equal(begun.before, state);
    }
  }
});

void t.test('an offer only goes forward: what comes late repeats nothing', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  const entered = await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
  const { id } = entered.signIn;
  const offer = { offerId: 'offer.1' };
  // The reconciliation has seen it all; the events of the offer come after that.
  t.ok(await transition(db, id, 'seen-talking', offer));
  t.notOk(await transition(db, id, 'offer', offer), 'no second ringing');
  t.notOk(await transition(db, id, 'connect', offer), 'no second talking');
  t.ok(await transition(db, id, 'wrap-up', offer));
  t.ok(await transition(db, id, 'ready', offer));
  for (const late of ['offer', 'connect', 'wrap-up'] as const) {
    t.notOk(await transition(db, id, late, offer), `${late} comes late`);
  }
  t.equal((await openStateOf(db, id))?.state, 'idle');
  t.ok(await transition(db, id, 'offer', { offerId: 'offer.2' }), 'the next offer is another one');
  const rows = await db('agent_states').orderBy('id').pluck<string[]>('state');
  t.same(rows, ['idle', 'talking', 'wrap-up', 'idle', 'ringing']);
});
