import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { freshDatabase } from '../support/database.js';
import { schemaText } from '../support/schema.js';

const fixture = new URL('../../../fixtures/schema.txt', import.meta.url);
const { db } = await freshDatabase(t);

await t.test('the migrations make the schema that is checked in', async (t) => {
  const text = await schemaText(db);
  // After a new migration: run with the switch, and read the difference in review.
  if (process.env['STAR64_UPDATE_FIXTURES'] === '1') writeFileSync(fixture, text);
  t.equal(text, readFileSync(fixture, 'utf8'));
});

await t.test('a changed column, comment, constraint, index, trigger or function is seen', async (t) => {
  const changes = [
    'alter table teams add column colour text',
    'alter table teams alter column name drop not null',
    `comment on column teams.name is 'other'`,
    'alter table agents drop constraint agents_fixed_has_extension',
    'drop index calls_open_idx',
    'alter type agent_state add value $$away$$'.replaceAll('$$', "'"),
    'drop trigger dids_notify_insert on dids',
    'create function extra() returns int language sql as $$ select 1 $$',
  ];
  const before = await schemaText(db);
  for (const change of changes) {
    await db
      .transaction(async (trx) => {
        await trx.raw(change);
        t.not(await schemaText(trx), before, change);
        throw new Error('rolled back');
      })
      .catch((error: unknown) => {
        t.match(error, { message: 'rolled back' });
      });
  }
  t.equal(await schemaText(db), before);
});

await t.test('every table says what it is for', async (t) => {
  const { rows } = await db.raw<{ rows: { name: string; comment: string | null }[] }>(
    `select relname as name, obj_description(oid, 'pg_class') as comment from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'star64_migrations%'`,
  );
  t.ok(rows.length >= 11, `${rows.length} tables`);
  for (const { name, comment } of rows) t.ok(comment, name);
});
