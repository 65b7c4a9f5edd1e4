import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { packageRoot } from '../../domain/machine/package-root.js';
import { freshDatabase } from '../support/database.js';
import { apiOf } from '../support/doors/web.js';

/** The agent's page and the board as they are served, and what they say: without a browser. */
const { db } = await freshDatabase(t);
const web = await apiOf(t, db);
const folder = new URL('web/pages/', packageRoot);
const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');
const names = await readdir(folder);

await t.test('a page loads what this server has, and nothing else', async (t) => {
  for (const url of ['/agent', '/board']) {
    const answer = await web.inject({ url });
    t.equal(answer.statusCode, 200, url);
    const policy = String(answer.headers['content-security-policy']);
    t.match(policy, /default-src 'none'/);
    t.match(policy, /script-src 'self'; style-src 'self'/);
    t.notMatch(policy, /unsafe|http/);
    t.match(answer.headers, { 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' });
    t.notMatch(
      answer.body,
      /<style|style=|\son[a-z]+=|<script(?![^>]* src=)|https?:\/\//i,
      'nothing inline, nothing from elsewhere',
    );
    for (const [, part] of answer.body.matchAll(/(?:src|href)="([^"]+)"/g))
      t.equal((await web.inject({ url: part ?? '' })).statusCode, 200, part ?? '');
  }
  for (const name of names.filter((one) => !one.endsWith('.html'))) {
    const answer = await web.inject({ url: `/pages/${name}` });
    t.equal(answer.statusCode, 200, name);
    t.notMatch(
      answer.body,
      /innerHTML|outerHTML|insertAdjacent|document\.write|eval\(/,
      `${name}: nothing said becomes a script`,
    );
  }
  for (const url of ['/pages/', '/pages/../package.json', '/pages/agent.html', '/pages/%2e%2e%2fserver.js'])
    t.equal((await web.inject({ url })).statusCode, 404, url);
});

await t.test(
  'a page that the browser has is not sent again, and no number of visits is too many',
  async (t) => {
    const web = await apiOf(t, db, { requestsPerMinute: 2, loginsPerMinute: 2 });
    const first = await web.inject({ url: '/pages/agent.js' });
    const etag = String(first.headers['etag']);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await web.inject({ url: '/pages/agent.js', headers: { 'if-none-match': known } });
      t.same([again.statusCode, again.body, again.headers['etag']], [304, '', etag], known);
    }
    const other = await web.inject({ url: '/pages/agent.js', headers: { 'if-none-match': '"other"' } });
    t.equal(other.statusCode, 200);
    for (const url of ['/livez', '/readyz', '/livez', '/readyz'])
      t.equal((await web.inject({ url })).statusCode, 200, url);
    for (let at = 0; at < 3; at++) await web.inject({ url: '/v1/openapi.json' });
    const body = { team: 'astercc', agent: '1001', password: 'a long way home' };
    const logIn = async () => (await web.inject({ method: 'POST', url: '/v1/tokens', body })).statusCode;
    t.same([await logIn(), await logIn(), await logIn()], [401, 401, 429], 'logins are counted apart');
  },
);

await t.test('every word is there in every language', async (t) => {
  const { words, languages } = (await import(new URL('words.js', folder).href)) as {
    words: Record<string, Record<string, string>>;
    languages: Record<string, string>;
  };
  t.same(Object.keys(words), Object.keys(languages));
  const places = (text = ''): string[] => [...text.matchAll(/\{\d\}/g)].map(String).sort();
  for (const [language, table] of Object.entries(words)) {
    t.same(Object.keys(table), Object.keys(words['en'] ?? {}), language);
    const odd = Object.entries(table).filter(
      ([key, text]) => text.trim() === '' || String(places(text)) !== String(places(words['en']?.[key])),
    );
    t.same(odd, [], `${language}: each says something, and is filled with the same`);
  }
  const asked = new Set<string>();
  for (const name of names.filter((one) => /\.(?:html|js)$/.test(one) && one !== 'words.js'))
    for (const [, key] of (await read(name)).matchAll(/(?:data-(?:word|label)="|word\(')([a-z_-]+)['"]/g))
      if (key) asked.add(key);
  t.same(
    [...asked].filter((key) => !(key in (words['en'] ?? {}))),
    [],
    'nothing is said that is not in the table',
  );
});
