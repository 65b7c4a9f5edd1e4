import t from 'tap';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(2, { team: 'other', did: '600200' }));
const web = await apiOf(t, db);
const tokens = {
  administrator: await tokenOf(db, 'astercc', 'administrator'),
  supervisor: await tokenOf(db, 'astercc', 'supervisor'),
  stranger: await tokenOf(db, 'other', 'administrator'),
};

const ask = async (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
  { who = 'administrator', team = 'astercc' }: { who?: keyof typeof tokens; team?: string } = {},
) => {
  const answer = await web.inject({
    method,
    url: `/v1/teams/${team}/webhooks${path}`,
    headers: bearer(tokens[who]),
    ...(body && { body }),
  });
  return {
    status: answer.statusCode,
    body: answer.body === '' ? {} : answer.json<Record<string, never>>(),
    text: answer.body,
  };
};

await t.test('an administrator has webhooks; the secret is told once', async (t) => {
  const url = 'https://crm.example.org/hooks';
  const made = await ask('POST', '', { name: 'crm', url, types: ['call.ended'] });
  t.match(made, {
    status: 201,
    body: { name: 'crm', types: ['call.ended'], secret: /^whsec_/, state: 'ok' },
  });
  for (const path of ['', '/crm']) t.notMatch((await ask('GET', path)).text, /whsec_|secret/, `GET ${path}`);
  t.match(await ask('PATCH', '/crm', { types: null }), { status: 200, body: { types: null, url } });
  t.match(await ask('POST', '/crm/rotate', { keep_seconds: 60 }), {
    status: 200,
    body: { secret: /^whsec_/, old_secret_until: /Z$/ },
  });
  t.match(await ask('POST', '', { name: 'crm', url }), { status: 409, body: { code: 'taken' } });
  for (const body of [
    { name: 'Ä', url },
    { name: 'two', url: 'ftp://x' },
    { name: 'two', url: 'https://u:p@x.example' },
    { name: 'two', url: 'https://x.example/{caller}' },
    { name: 'two', url, types: ['no.such'] },
    { name: 'two', url, types: [] },
    { name: 'two' },
  ])
    t.equal((await ask('POST', '', body)).status, 422, JSON.stringify(body));
});

await t.test('of two who have read the same webhook, the second is told', async (t) => {
  const at = (method: 'GET' | 'PATCH' | 'DELETE', body?: object, tag?: string) =>
    web.inject({
      method,
      url: '/v1/teams/astercc/webhooks/crm',
      headers: { ...bearer(tokens.administrator), ...(tag !== undefined && { 'if-match': tag }) },
      ...(body && { body }),
    });
  const tagOf = ({ headers }: Awaited<ReturnType<typeof at>>): string => String(headers['etag']);
  const read = tagOf(await at('GET'));
  const changed = await at('PATCH', { types: ['call.ended'] }, read);
  t.match([changed.statusCode, tagOf(changed)], [200, /^"[0-9a-f]+"$/]);
  t.not(tagOf(changed), read);
  await db('webhook_deliveries').insert({
    team_id: db('webhooks').select('team_id').where({ name: 'crm' }),
    webhook_id: db('webhooks').select('id').where({ name: 'crm' }),
    message: 'm.1',
    type: 'webhook.test',
    at: db.fn.now(),
  });
  for (const late of [await at('PATCH', { types: null }, read), await at('DELETE', undefined, read)])
    t.match([late.statusCode, late.json()], [412, { code: 'version_changed' }]);
  t.equal((await db('webhook_deliveries')).length, 1, 'nor has it lost what was to be sent');
  await db('webhook_deliveries').delete();
  t.equal((await at('PATCH', { types: null }, tagOf(changed))).statusCode, 200);
});

await t.test('what was sent is listed page by page, and is sent anew by its team alone', async (t) => {
  for (let test = 0; test < 3; test++)
    t.match(await ask('POST', '/crm/test'), { status: 202, body: { type: 'webhook.test', state: 'due' } });
  const first = await ask('GET', '/crm/deliveries?limit=2');
  t.match(first.body, { items: [{ webhook: 'crm', tries: 0, error: null }, {}], next_cursor: /^[0-9]+$/ });
  const rest = await ask('GET', `/crm/deliveries?limit=2&cursor=${String(first.body['next_cursor'])}`);
  t.match(rest.body, { items: [{ webhook: 'crm' }], next_cursor: null });
  t.match((await ask('GET', '/crm/deliveries?failed=true')).body, { items: [] });
  const { id } = (first.body as unknown as { items: [{ id: number }] }).items[0];
  t.match(await ask('POST', `/crm/deliveries/${id}/redeliver`), { status: 202, body: { id, state: 'due' } });
  t.match(await ask('POST', '/crm/redeliver', { since: 60 }), { status: 202, body: { events: 0 } });
  const other = { who: 'stranger', team: 'other' } as const;
  await ask('POST', '', { name: 'crm', url: 'https://x.example' }, other);
  t.match(
    await ask('POST', `/crm/deliveries/${id}/redeliver`, {}, other),
    { status: 404 },
    'an id that was guessed',
  );
  t.match((await ask('GET', '/crm/deliveries', undefined, other)).body, { items: [] });
});

await t.test('who is no administrator has none, and a webhook that was removed is gone', async (t) => {
  t.match(await ask('GET', '', undefined, { who: 'supervisor' }), { status: 403 });
  t.equal((await ask('DELETE', '/crm')).status, 204);
  t.match(await ask('GET', '/crm'), { status: 404, body: { code: 'unknown' } });
  t.equal((await db('webhook_deliveries')).length, 0, 'with what it was not sent yet');
});
