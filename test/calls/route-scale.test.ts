import t from 'tap';
import { didRules } from '../../domain/provisioning/numbers/did-rule.js';
import { asked } from '../support/asked.js';
import { freshDatabase } from '../support/database.js';
import { addManyTeams, didsOf } from '../support/many-teams.js';

await t.test('10,000 DIDs in 1,000 teams: no statement on the way of a question', async (t) => {
  const large = await freshDatabase(t);
  const many = { teams: 1000, extensions: 1, dids: 10 };
  await addManyTeams(large.db, many);
  for (const identity of ['t1', 't500'])
    await didRules.add(large.db, identity, 'all', { caller: '0171*', to: 'hangup:busy' });
  const { ask, journal, unknownNumbers } = await asked(t, large.db);
  const statements: string[] = [];
  large.db.on('query', ({ sql }: { sql: string }) => statements.push(sql));
  for (const index of [1, 2, 499, 500, 999, 1000]) {
    const [did = ''] = didsOf(index, many);
    const rule = index === 1 || index === 500;
    t.equal(
      await ask('inbound', [`t${index}`, did, 'lab-trunk'], '01712345678'),
      rule ? 'star64-hangup,busy,1' : `t${index}-groups,support,1`,
    );
    t.match(
      await ask('unknown-number', ['', 'lab-trunk', did.replace('+49', '0')], '030'),
      `t${index}-groups,support,1`,
    );
  }
  t.equal(await ask('unknown-number', ['', 'lab-trunk', '0305'], '030'), 'star64-nowhere,s,1');
  t.same(statements, []);
  await Promise.all([journal.flush(), unknownNumbers.flush()]);
  t.not(statements.length, 0, 'they would be seen');
});
