import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { apiPage, type ApiDocument } from '../../web/api-page.js';
import { apiOf } from '../support/doors/web.js';

void t.test('docs/API.md says what the routes are', async (t) => {
  // Nothing of it asks a database.
  const db = connect('postgres://nobody@127.0.0.1:1/none');
  t.teardown(() => db.destroy());
  const web = await apiOf(t, db);
  const page = apiPage((await web.inject({ url: '/v1/openapi.json' })).json<ApiDocument>());
  const file = new URL('../../../docs/API.md', import.meta.url);
  if (process.env['STAR64_UPDATE_FIXTURES'] === '1') writeFileSync(file, page);
  else t.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', page);
  t.match(page, /POST \/v1\/teams\/\{team\}\/agents\/\{agent\}\/sign-in/);
  const sectionOf = (title: string): string => page.split('\n## ').find((one) => one.startsWith(title)) ?? '';
  t.match(
    sectionOf('POST /v1/teams/{team}/agents/{agent}/sign-in'),
    'Body, or none: [`extension`], [`group`].',
  );
  const mode = sectionOf('POST /v1/teams/{team}/agents/{agent}/work-mode');
  t.match(mode, 'Role: `supervisor`, or the login of an agent');
  t.match(mode, 'Body: `mode` (`all`, `inbound`, `outbound`).');
  t.match(sectionOf('GET /v1/teams/{team}/calls\n'), '[`since` (ISO 8601');
  t.match(sectionOf('GET /v1/teams/{team}/events'), '[`since` (seconds ago)]');
  t.equal((await web.inject({ url: '/livez' })).statusCode, 200);
  const ready = await web.inject({ url: '/readyz' });
  t.match(ready.json(), { status: 503, code: 'database_unreachable' });
  t.ok(Number(ready.headers['retry-after']) > 0, 'says when to come back');
});
