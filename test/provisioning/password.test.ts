import { randomBytes, scryptSync } from 'node:crypto';
import t from 'tap';
import {
  checkPassword,
  checkSecret,
  generateSecret,
  hashPassword,
  verifyPassword,
} from '../../domain/password.js';
import { refused } from '../support/refusal.js';

await t.test('a hash is salted, verifies its password and no other', async (t) => {
  const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
  t.match(one, /^scrypt\$32768\$8\$3\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}$/);
  t.not(one, two);
  t.equal(await verifyPassword('correct horse', one), true);
  t.equal(await verifyPassword('correct horse', two), true);
  t.equal(await verifyPassword('correct horsf', one), false);
  t.equal(await verifyPassword('', one), false);
});

await t.test(
  'the stored form is plain scrypt: other programs can verify it, other costs are read from it',
  async (t) => {
    const salt = randomBytes(16);
    const hash = scryptSync('pässword', salt, 32, { N: 1024, r: 4, p: 2 });
    const stored = `scrypt$1024$4$2$${salt.toString('base64')}$${hash.toString('base64')}`;
    t.equal(await verifyPassword('pässword', stored), true);
    t.equal(
      await verifyPassword('pa\u0308ssword', stored),
      true,
      'the same letters typed as two code points',
    );
    t.equal(await verifyPassword('password', stored), false);
  },
);

await t.test('what is no hash is an error, never a match', async (t) => {
  for (const stored of [
    '',
    'plain',
    'scrypt$1024$4$2$$',
    'scrypt$1024$4$2$c2FsdA==$',
    'md5$1$1$1$c2FsdA==$aGFzaA==',
  ]) {
    await t.rejects(verifyPassword('', stored));
  }
});

await t.test('secrets are long, different and harmless', (t) => {
  const secrets = new Set(Array.from({ length: 200 }, () => generateSecret()));
  t.equal(secrets.size, 200);
  for (const secret of secrets) t.match(secret, /^[A-Za-z0-9]{32}$/);
  t.end();
});

await t.test('refusals never repeat the secret', async (t) => {
  for (const secret of [
    'short',
    'x'.repeat(65),
    `${'x'.repeat(24)}\n`,
    `${'x'.repeat(24)};`,
    'ü'.repeat(24),
  ]) {
    await refused(t, 'usage', ['24 to 64'], () => checkSecret(secret));
    t.throws(() => checkSecret(secret), { message: new RegExp(`^(?!.*${secret.slice(0, 5)}x)`) });
  }
  t.equal(checkSecret('x'.repeat(24)), 'x'.repeat(24));
  for (const password of ['1234567', 'x'.repeat(201), 'line\nbreak-long', 'nul\u0000-long-enough']) {
    await refused(t, 'usage', ['8 to 200'], () => checkPassword('user', 'anna', password));
  }
  t.equal(checkPassword('user', 'anna', '密码密码密码密码'), '密码密码密码密码');
});
