import t from 'tap';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, showExtensionSecret } from '../../domain/provisioning/numbers/extension.js';
import { addTeam } from '../../domain/provisioning/team.js';
import {
  addTrunk,
  listTrunks,
  removeTrunk,
  setTrunk,
  showTrunk,
  trunks,
} from '../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
await addUser(db, 'astercc', { username: 'anna' });

await t.test('a trunk with addresses is generated, under the name of its team', async (t) => {
  const addresses = ['sip.example.net', '198.51.100.7:5080', '[2001:db8::7]:5060'];
  t.match(await addTrunk(db, 'astercc', { name: 'main', addresses }), {
    generated: true,
    endpoint: 'astercc-trunk-main',
    addresses,
    codecs: 'alaw,ulaw',
    byAddress: true,
    qualifySeconds: 30,
    numberFormat: 'e164',
    replySeconds: 6,
  });
  t.match(await addTrunk(db, null, { name: 'main', addresses: ['2001:DB8::8'] }), {
    endpoint: 'star64-trunk-main',
    addresses: ['[2001:db8::8]'],
  });
  for (const address of [
    '',
    'a b',
    '300.1.1.1',
    '1.2.3',
    'x:0',
    'x:70000',
    'x;y',
    '[1.2.3.4]',
    'a..b',
    'sip:x',
  ])
    await refused(t, 'usage', ['address "', '198.51.100.7'], () =>
      addTrunk(db, 'astercc', { name: 'free', addresses: [address] }),
    );
});

await t.test('the secret shows where it is asked for, and nowhere else', async (t) => {
  const secret = String.raw`>;#p"$\{a}!;`;
  const shown = await setTrunk(db, 'astercc', 'main', { username: '4930600100', secret, register: true });
  t.match(shown, { username: '4930600100', register: true });
  for (const seen of [shown, await showTrunk(db, 'astercc', 'main'), await listTrunks(db, 'astercc')])
    t.notMatch(JSON.stringify(seen), JSON.stringify(secret).slice(1, -1));
  t.match(await trunks.showSecrets(db, 'astercc', 'main'), { secret });
  const { rows } = await db.raw<{ rows: { content: string }[] }>(
    `select to_jsonb(e)::text as content from events e union all select to_jsonb(f)::text from file_changes f`,
  );
  t.notOk(
    rows.some(({ content }) => content.includes('#p')),
    'in no event',
  );
});

await t.test('what would not work is refused with its way out, and changes nothing', async (t) => {
  const set = (given: Parameters<typeof setTrunk>[3], name = 'main') => setTrunk(db, 'astercc', name, given);
  await addTrunk(db, 'astercc', { name: 'theirs', endpoint: 'theirs' });
  await addExtension(db, 'astercc', { number: '5000', user: 'anna' });
  const phone = (await showExtensionSecret(db, 'astercc', '5000')).secret ?? '';
  for (const [code, words, work] of [
    [
      'usage',
      ['needs an address or an endpoint', '--address', '--endpoint'],
      () => addTrunk(db, 'astercc', { name: 'free' }),
    ],
    [
      'usage',
      ['cannot register without an account', '--username'],
      () => addTrunk(db, 'astercc', { name: 'free', addresses: ['a.example'], register: true }),
    ],
    [
      'usage',
      ['cannot register without an account', '--register off'],
      () => set({ username: null, secret: null }),
    ],
    [
      'usage',
      ['has a secret and no user name', '--no-secret'],
      () => set({ username: null, register: false }),
    ],
    [
      'usage',
      ['user name 1 and no secret', '--secret-stdin'],
      () => addTrunk(db, 'astercc', { name: 'free', addresses: ['a.example'], username: '1' }),
    ],
    ['usage', ['its user name as its secret', 'another secret'], () => set({ secret: '4930600100' })],
    [
      'usage',
      ['SIP secret of extension 5000', 'extension set 5000 --new-secret'],
      () => set({ secret: phone }),
    ],
    ['usage', ['secret of trunk main is not allowed'], () => set({ secret: 'a\nb' })],
    ['usage', ['address a.example only once'], () => set({ addresses: ['a.example', 'A.example'] })],
    [
      'usage',
      ['8 addresses at most'],
      () => set({ addresses: Array.from({ length: 9 }, (_, at) => `a${at}.example`) }),
    ],
    [
      'usage',
      ['endpoint theirs of your own pjsip.conf', 'leave --codecs out', '--no-endpoint --address'],
      () => set({ codecs: 'alaw' }, 'theirs'),
    ],
    ['usage', ['codecs "mp3"', 'alaw'], () => set({ codecs: 'mp3' })],
    ['usage', ['SIP answers "200"'], () => set({ nextOn: '200' })],
    ['usage', ['<team>-trunk-<name> a trunk of ours'], () => set({ endpoint: 'astercc-trunk-x' }, 'theirs')],
    [
      'usage',
      ['a trunk of ours'],
      () => addExtension(db, 'astercc', { number: '5001', user: 'anna', endpoint: 'star64-trunk-x' }),
    ],
    [
      'conflict',
      ['+4930600100 is no DID of team astercc', 'did list'],
      () => set({ callerId: '+4930600100' }),
    ],
    [
      'conflict',
      ['calls from 198.51.100.7', 'trunk main of team astercc', '--by-address off'],
      () => addTrunk(db, null, { name: 'second', addresses: ['198.51.100.7'] }),
    ],
    [
      'conflict',
      ['trunk main of team astercc exists already'],
      () => addTrunk(db, 'astercc', { name: 'main', addresses: ['b.example'] }),
    ],
  ] as const)
    await refused(t, code, words, work);
  t.match(await showTrunk(db, 'astercc', 'main'), { register: true, username: '4930600100', callerId: null });

  await addDid(db, 'astercc', { number: '+4930600100', to: 'extension:5000' });
  t.match(await set({ callerId: '+4930600100' }), { callerId: '+4930600100' });
  await refused(t, 'conflict', ['no DID of team other'], () =>
    addTrunk(db, 'other', { name: 'main', addresses: ['c.example'], callerId: '+4930600100' }),
  );
  t.match(await addTrunk(db, null, { name: 'second', addresses: ['198.51.100.7'], byAddress: false }), {
    byAddress: false,
  });
});

await t.test('an endpoint of the operator becomes a generated one, and the other way round', async (t) => {
  const change = (given: Parameters<typeof setTrunk>[3]) => setTrunk(db, 'astercc', 'theirs', given);
  await refused(t, 'usage', ['needs an address'], () => change({ endpoint: null }));
  t.match(await change({ endpoint: null, addresses: ['d.example'], username: 'a', secret: 'bcd' }), {
    generated: true,
    endpoint: 'astercc-trunk-theirs',
  });
  t.match(await change({ endpoint: 'mine' }), {
    generated: false,
    endpoint: 'mine',
    addresses: [],
    username: null,
  });
  t.match(await trunks.showSecrets(db, 'astercc', 'theirs'), { secret: null }, 'the secret went with it');
  await refused(t, 'usage', ['leave --secret-stdin out'], () => change({ secret: 'x' }));
  await removeTrunk(db, 'astercc', 'theirs');
});

await t.test('two trunks that are given one address in the same moment: one of them has it', async (t) => {
  for (let round = 0; round < 5; round++) {
    const names = ['a', 'b', 'c'].map((letter) => `r${round}${letter}`);
    const results = await Promise.allSettled(
      names.map((name) => addTrunk(db, 'astercc', { name, addresses: [`192.0.2.${round}`] })),
    );
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  }
});
