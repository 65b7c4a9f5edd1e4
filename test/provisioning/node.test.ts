import t from 'tap';
import { registerNode } from '../../domain/provisioning/node.js';
import { addTeam, setTeam, showTeam } from '../../domain/provisioning/team.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

void t.test('a team lives on one node, which need not have been seen yet', async (t) => {
  const { db } = await freshDatabase(t);
  t.match(await showTeam(db, 'astercc'), { node: 'default' });
  t.match(await setTeam(db, 'astercc', { node: 'berlin-1' }), { node: 'berlin-1' });
  t.match(await addTeam(db, 'other', { node: 'berlin-1' }), { node: 'berlin-1' });
  t.equal(await registerNode(db, 'berlin-1'), 2, 'its server finds both');
  t.equal(await registerNode(db, 'default'), 0);
  await refused(t, 'usage', ['name of a node "ber lin"', 'ber-lin'], () =>
    setTeam(db, 'astercc', { node: 'ber lin' }),
  );
});

void t.test('a team does not move under agents who are signed in', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  await refused(t, 'conflict', ['1 agents signed in', 'node berlin'], () =>
    setTeam(db, 'astercc', { node: 'berlin' }),
  );
  t.match(await showTeam(db, 'astercc'), { node: 'default' });
  t.match(await setTeam(db, 'astercc', { node: 'default' }), { node: 'default' }, 'where it is, it stays');
});
