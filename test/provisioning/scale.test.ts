import t from 'tap';
import { migrationDeadlineMs } from '../../domain/database/migrate.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addExtension, removeExtension } from '../../domain/provisioning/numbers/extension.js';
import { addFeatureCode } from '../../domain/provisioning/features/feature-code.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { pieces } from '../support/pieces.js';
import { refused } from '../support/refusal.js';

const { url } = await freshDatabase(t);
// A hundred thousand rows take their time on a busy machine.
const db = connect(url, { deadlineMs: migrationDeadlineMs, idleMs: migrationDeadlineMs });
t.teardown(() => db.destroy());

/** The statements of a piece of work, in their order. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const note = ({ sql }: { sql: string }): void => void statements.push(sql.replace(/\s+/g, ' ').trim());
  db.on('query', note);
  try {
    await work();
  } finally {
    db.removeListener('query', note);
  }
  return statements;
}

/** Buffers that a statement touches, and the ways in which it reads tables, with the statements of its triggers. */
async function planOf(
  db: Database,
  sql: string,
  values: readonly string[],
): Promise<{ buffers: number; scans: string }> {
  const { rows } = await db.raw<{ rows: { 'QUERY PLAN': string }[] }>(
    `explain (analyze, buffers) ${sql}`,
    values,
  );
  const text = rows.map((row) => row['QUERY PLAN']).join('\n');
  const [, hit = '0'] = /Buffers: shared hit=(\d+)/.exec(text) ?? [];
  const [, read = '0'] = /Buffers: shared (?:hit=\d+ )?read=(\d+)/.exec(text) ?? [];
  return { buffers: Number(hit) + Number(read), scans: text };
}

await addTeam(db, 'large');
await addUser(db, 'large', { username: 'anna' });
await addGroup(db, 'large', { name: 'support' });
const { id: teamId } = await db('teams').where({ identity: 'large' }).first<{ id: number }>('id');
const { id: userId } = await db('users').where({ team_id: teamId }).first<{ id: number }>('id');

await t.test('a command looks its team up once, whatever it does', async (t) => {
  for (const [what, most, work] of [
    ['extension add', 6, () => addExtension(db, 'large', { number: '5000', user: 'anna' })],
    ['extension remove', 11, () => removeExtension(db, 'large', '5000')],
    ['group add', 5, () => addGroup(db, 'large', { name: 'sales', number: '6000' })],
    [
      'agent add',
      9,
      () => addAgent(db, 'large', { number: '1001', user: 'anna', groups: ['support', 'sales'] }),
    ],
  ] as const) {
    const statements = await statementsOf(work);
    t.equal(
      statements.filter((sql) => /from "?teams"? where/.test(sql)).length,
      1,
      `${what}: ${statements.join('\n')}`,
    );
    const own = statements.filter((sql) => !/^(BEGIN|COMMIT)/i.test(sql));
    t.ok(own.length <= most, `${what}: ${own.length} statements\n${own.join('\n')}`);
  }
});

await t.test('a number is checked with as little work at 100,000 numbers as at none', async (t) => {
  // What the trigger does for each number, as statements of their own, so that their plans can be seen.
  const { rows } = await db.raw<{ rows: { body: string }[] }>(
    `select prosrc as body from pg_proc where proname = 'check_code_prefix'`,
  );
  const selects = [
    ...(rows[0]?.body ?? '').matchAll(/select from numbers n where[^]*?(?=\)\)?\)?\s*(?:or|then))/g),
  ];
  t.equal(selects.length, 2, 'both ways of the rule are looked at');
  const insert = 'insert into extensions (team_id, number, user_id, secret) values (?, ?, ?, ?)';
  /** Rows of `numbers` that a scan of the whole table reads while an extension is added, by its triggers, too. */
  const scannedByInsert = async (number: string): Promise<number> => {
    let scanned = 0;
    await db
      .transaction(async (trx) => {
        const read = async (): Promise<number> => {
          const { rows } = await trx.raw<{ rows: { rows: number }[] }>(
            `select pg_stat_get_xact_tuples_returned('numbers'::regclass) as rows`,
          );
          return rows[0]?.rows ?? 0;
        };
        const before = await read();
        await trx.raw(insert, [teamId, number, userId, 'x'.repeat(24)]);
        scanned = (await read()) - before;
        throw new Error('rolled back');
      })
      .catch((error: unknown) => {
        if ((error as Error).message !== 'rolled back') throw error;
      });
    return scanned;
  };
  // The rows that 100,000 extensions would have made, without their triggers' work.
  await db.raw('alter table numbers disable trigger numbers_check_code_prefix');
  for (const { from, to } of pieces(100_000))
    await db.raw(
      `insert into numbers (team_id, number, kind)
       select ?, (10000000 + n)::text, 'extension' from generate_series(?::integer, ?) as n`,
      [teamId, from, to],
    );
  await db.raw('alter table numbers enable trigger numbers_check_code_prefix');
  await db.raw('analyze numbers');
  t.equal(await scannedByInsert('9999'), 0, 'nothing is scanned');

  for (const [sql, values] of [
    [
      `select from numbers n where n.team_id = ? and n.kind = 'feature-code' and n.number <> ?
         and n.number = any(array(select left(?, length) from generate_series(1, least(8, length(?))) as length))`,
      [String(teamId), '99999999', '99999999', '99999999'],
    ],
    [
      `select from numbers n where n.team_id = ? and n.number collate "C" > ? and n.number collate "C" < ? || ':'`,
      [String(teamId), '*8', '*8'],
    ],
  ] as const) {
    const { buffers, scans } = await planOf(db, sql, values);
    t.notMatch(scans, /Seq Scan on numbers/, scans);
    t.match(scans, /Index/);
    t.ok(buffers < 50, `${buffers} buffers`);
  }
});

await t.test('the rule itself holds in a large team', async (t) => {
  await refused(t, 'conflict', ['feature code 100', 'beginning of 1000000'], () =>
    addFeatureCode(db, 'large', { code: '100', feature: 'pause' }),
  );
  await addFeatureCode(db, 'large', { code: '77', feature: 'pause' });
  await refused(t, 'conflict', ['number 7712 of team large', 'begins with 77'], () =>
    addExtension(db, 'large', { number: '7712', user: 'anna' }),
  );
  await refused(t, 'conflict', ['number 10000007', 'taken'], () =>
    addExtension(db, 'large', { number: '10000007', user: 'anna' }),
  );
  t.match(await addExtension(db, 'large', { number: '7', user: 'anna' }).catch((error: unknown) => error), {
    kind: 'usage',
  });
  t.match(await addExtension(db, 'large', { number: '78', user: 'anna' }), { number: '78' });
});
