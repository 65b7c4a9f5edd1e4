import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { withDatabaseErrors } from '../../domain/database/sql-errors.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { refused } from '../support/refusal.js';

const statement = `
  select now(),
    pg_sleep(0)`;

await t.test(
  'a frozen or lost PostgreSQL is known as such under any statement, and said in one line',
  async (t) => {
    const postgres = await LabPostgres.start();
    t.teardown(() => postgres.stop());
    const db = connect(postgres.url, { max: 1, deadlineMs: 2000 });
    t.teardown(() => db.destroy());
    const away = (...words: string[]): Promise<void> =>
      refused(t, 'database_unreachable', words, () => withDatabaseErrors(() => db.raw(statement)));
    await db.raw(statement);
    postgres.freeze();
    await away('PostgreSQL cannot be reached (Query read timeout):');
    await postgres.kill();
    await away();
    await away('PostgreSQL cannot be reached (connect ECONNREFUSED');
  },
);
