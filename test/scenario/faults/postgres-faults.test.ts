import t from 'tap';
import { crowd } from '../../../lab/provision.js';
import { callIn, Conversation, waitCall, waitTalking } from '../../support/calls.js';
import { centreOf, dialAndHear, gaps, stateOf, waitMembers, waitState } from '../../support/centre.js';

/** Without PostgreSQL nobody renews the promise to Asterisk; see server-faults. */
const leaseOverMs = 60_000;

const groups = [{ name: 'support', wrapUp: 'answer', wrapUpSeconds: 0 }, { name: 'sales' }];
const team = crowd(2, { groups });
const agents = team.agents.map((agent) => ({ ...agent, groups: ['support'] }));
const centre = await centreOf(t, { ...team, agents });
const { postgres, db, server } = centre;
const phone = await centre.phone('5001');
const colleague = await centre.phone('5002');
await dialAndHear(centre, phone, '*641001', 'agent-loginok');

const faults = {
  stopped: { begin: () => postgres.halt(), end: () => postgres.restart() },
  frozen: { begin: () => postgres.freeze(), end: () => postgres.thaw() },
};

for (const [name, fault] of Object.entries(faults)) {
  await t.test(
    `PostgreSQL ${name}: calls go on, a sign-in is refused, afterwards all is right`,
    async (t) => {
      const talk = await Conversation.begin(centre, phone);
      await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: true });
      const { pid } = server;
      const signIns = (await db('sign_ins')).length;
      const mark = await server.log.mark();

      await fault.begin();
      await server.log.waitFor(/PostgreSQL is away/, mark, 20_000);
      t.pass('the server says so');
      await dialAndHear(centre, colleague, '*641002', 'sorry', 'please-try-call-later');
      t.same(await talk.harm(), [], 'the running call did not notice');
      await talk.end();
      const next = await Conversation.answer(centre, phone, await callIn(centre), {
        deadlineMs: leaseOverMs,
      });
      t.pass('a caller gets through to the agent');
      await fault.end();

      await waitTalking(centre, '1001', next.call, 60_000);
      t.equal(server.pid, pid, 'the server survived');
      t.equal((await db('sign_ins')).length, signIns, 'the sign-in that was refused has changed nothing');
      t.equal(await stateOf(centre, '1002'), 'signed-out');
      await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: false });
      await waitCall(centre, next.call, { outcome: 'answered', agent: '1001', did: '600100', open: true });
      t.same(await next.harm(), [], 'the running call did not notice the return either');

      await next.end();
      await waitState(centre, '1001', 'wrap-up');
      await dialAndHear(centre, phone, '*67', 'activated');
      await dialAndHear(centre, colleague, '*641002', 'agent-loginok');
      await waitMembers(centre, 'astercc-support', ['1001', '1002']);
      await dialAndHear(centre, colleague, '*65', 'agent-loggedoff');
      await waitMembers(centre, 'astercc-support', ['1001']);
      // Changes are heard again, too.
      await centre.star64('agent', 'set', '1001', '--groups', 'support,sales');
      await waitMembers(centre, 'astercc-sales', ['1001']);
      await centre.star64('agent', 'set', '1001', '--groups', 'support');
      await waitMembers(centre, 'astercc-sales', []);
      t.same(await gaps(centre), [], 'no interval of any agent has a gap');
    },
  );
}
