/**
 * `team remove --discard-calls` with a million calls: how many statements and which of them takes longest. Run by hand:
 * `node dist/test/load/team-remove.load.js`, with STAR64_TEST_DATABASE_URL or star64's own PostgreSQL.
 */
import t from 'tap';
import { connect, statementDeadlineMs } from '../../domain/database/pool.js';
import { addTeam, removeTeam } from '../../domain/provisioning/team.js';
import { freshDatabase } from '../support/database.js';

t.setTimeout(1_800_000);
const { url, db } = await freshDatabase(t);
const calls = 1_000_000;
await addTeam(db, 'large');
const patient = connect(url, { max: 1, deadlineMs: 1_800_000 });
await patient.raw('alter table calls disable trigger all');
await patient.raw(
  `insert into calls (team_id, node, uniqueid) select t.id, t.node, 'u.' || n
   from teams t, generate_series(1, ?::integer) as n where t.identity = 'large'`,
  [calls],
);
await patient.raw('alter table calls enable trigger all');
await patient.destroy();

const begun = new Map<string, number>();
let longest = 0;
let statements = 0;
db.on('query', ({ __knexQueryUid: id }: { __knexQueryUid: string }) => begun.set(id, performance.now()));
db.on('query-response', (_response: unknown, { __knexQueryUid: id }: { __knexQueryUid: string }) => {
  longest = Math.max(longest, performance.now() - (begun.get(id) ?? 0));
  statements++;
});
const started = performance.now();
await removeTeam(db, 'large', { discardCalls: true });
t.comment(
  `${calls} calls: ${statements} statements in ${((performance.now() - started) / 1000).toFixed(1)} s, the longest ${longest.toFixed(0)} ms`,
);
t.ok(longest < statementDeadlineMs);
