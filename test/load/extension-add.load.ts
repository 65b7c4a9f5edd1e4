/**
 * What `extension add` costs in a team of 100,000 extensions, as in an empty one: milliseconds of SQL of one command
 * (the quickest and the middle one of 50; on a busy machine only the quickest says something) and its statements. Run by hand: `node dist/test/load/extension-add.load.js`, with
 * STAR64_TEST_DATABASE_URL or star64's own PostgreSQL.
 */
import t from 'tap';
import { addExtension, removeExtension } from '../../domain/provisioning/numbers/extension.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';

t.setTimeout(600_000);
const { db } = await freshDatabase(t);
const team = 'large';
await addTeam(db, team);
await addUser(db, team, { username: 'anna' });

/** Milliseconds that the statements of a command take. */
async function measured(): Promise<{ ms: number; least: number; statements: number }> {
  const totals: number[] = [];
  let statements = 0;
  for (let run = 0; run < 50; run++) {
    const begun = new Map<string, number>();
    let total = 0;
    statements = 0;
    const start = ({ __knexQueryUid: id }: { __knexQueryUid: string }): void =>
      void begun.set(id, performance.now());
    const stop = (_response: unknown, { __knexQueryUid: id }: { __knexQueryUid: string }): void => {
      total += performance.now() - (begun.get(id) ?? performance.now());
      statements++;
    };
    db.on('query', start);
    db.on('query-response', stop);
    await addExtension(db, team, { number: '99', user: 'anna' });
    db.removeListener('query', start);
    db.removeListener('query-response', stop);
    await removeExtension(db, team, '99');
    totals.push(total);
  }
  totals.sort((a, b) => a - b);
  return { ms: totals[25] ?? 0, least: totals[0] ?? 0, statements };
}

const said = ({ ms, least, statements }: Awaited<ReturnType<typeof measured>>): string =>
  `${least.toFixed(2)} to ${ms.toFixed(2)} ms of SQL in ${statements} statements`;

const small = await measured();
for (let from = 0; from < 500; from++) {
  await db.raw(
    `insert into extensions (team_id, number, user_id, secret)
     select t.id, (10000000 + n)::text, u.id, repeat('x', 24)
     from teams t join users u on u.team_id = t.id, generate_series(?::integer, ?::integer) as n where t.identity = ?`,
    [from * 200, from * 200 + 199, team],
  );
}
await db.raw('analyze');
const large = await measured();
t.comment(`empty team: ${said(small)}`);
t.comment(`100,000 extensions: ${said(large)}`);
t.equal(large.statements, small.statements);
