import { randomBytes, randomInt, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { fail } from './errors.js';

/** OWASP's password storage advice for scrypt, the variant with 32 MiB: N = 2^15, r = 8, p = 3. */
const cost = { N: 2 ** 15, r: 8, p: 3 } as const;
const saltBytes = 16;
const hashBytes = 32;

function derive(password: string, salt: Buffer, length: number, { N, r, p }: ScryptOptions): Promise<Buffer> {
  // Node refuses more than 32 MiB unless told; scrypt needs a little over 128·N·r bytes.
  const options = { N, r, p, maxmem: 256 * (N ?? 1) * (r ?? 1) } as ScryptOptions;
  return new Promise((resolve, reject) => {
    // NFC: the same password typed on another keyboard is the same password.
    scrypt(password.normalize('NFC'), salt, length, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

/** A salted hash to store: `scrypt$N$r$p$salt$hash`, salt and hash in base64. Takes a good 100 ms on purpose. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, hashBytes, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

/** Whether a password is the one that was hashed, compared in constant time. Throws on what is no such hash. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [scheme, N, r, p, salt, hash] = stored.split('$');
  const wanted = Buffer.from(hash ?? '', 'base64');
  if (scheme !== 'scrypt' || !salt || wanted.length === 0) throw new Error('not a password hash of star64');
  const options = { N: Number(N), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, 'base64'), wanted.length, options);
  return timingSafeEqual(derived, wanted);
}

/** A row of the keypad, up and down: what is tried first. */
const runs = '01234567890 09876543210';

/**
 * A login password that may be set: 8 to 200 characters without control characters, and none that everybody tries first.
 * `name` is the one that is typed beside it. Never shows it.
 */
export function checkPassword(noun: 'agent' | 'user', name: string, password: string): string {
  const length = Array.from(password).length;
  const remedy = { text: 'choose another' };
  if (length < 8 || length > 200 || /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(password)) {
    throw fail('invalid_password', {
      noun,
      name,
      says: `the login password of ${noun} ${name} is not allowed (8 to 200 characters, no control characters or line breaks)`,
      remedy,
    });
  }
  if (password === name || new Set(password).size === 1 || runs.includes(password)) {
    throw fail('invalid_password', {
      noun,
      name,
      says: `the login password of ${noun} ${name} is not allowed (not their own name, not one character repeated, no run such as 12345678)`,
      remedy,
    });
  }
  return password;
}

/**
 * A PIN that somebody keys in at a phone: 4 to 10 digits that nobody guesses in five tries. `noun` and `name` say whose
 * it is. Never shows it.
 */
export function checkPin(noun: 'agent' | 'user' | 'room', name: string, pin: string): string {
  const remedy = { text: 'choose another' };
  if (!/^[0-9]{4,10}$/.test(pin)) {
    throw fail('invalid_pin', { noun, name, says: 'the PIN is not allowed (4 to 10 digits)', remedy });
  }
  if (pin === name || new Set(pin).size === 1 || runs.includes(pin)) {
    const own = noun === 'user' ? 'the user name' : `the ${noun} number`;
    throw fail('invalid_pin', {
      noun,
      name,
      says: `the PIN of ${noun} ${name} is not allowed (not ${own}, not one digit repeated, no run such as 1234)`,
      remedy,
    });
  }
  return pin;
}

const secretAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A secret for a machine: 32 letters and digits, 190 bits, typeable and harmless in every file format. */
export function generateSecret(length = 32): string {
  return Array.from({ length }, () => secretAlphabet.charAt(randomInt(secretAlphabet.length))).join('');
}

/** A SIP secret that somebody brings along: 24 to 64 letters and digits. Never shows it. */
export function checkSecret(secret: string): string {
  if (!/^[A-Za-z0-9]{24,64}$/.test(secret)) {
    throw fail('invalid_secret', {
      noun: 'extension',
      says: 'the SIP secret is not allowed (24 to 64 letters A-Z a-z and digits)',
      remedy: { text: 'give none, and one is generated' },
    });
  }
  return secret;
}

/** The secret of an account at a provider: 1 to 128 printable ASCII characters, as SIP digests them. Never shows it. */
export function checkTrunkSecret(trunk: string, secret: string): string {
  if (!/^[!-~]([ -~]{0,126}[!-~])?$/.test(secret)) {
    throw fail('invalid_secret', {
      noun: 'trunk',
      name: trunk,
      says: `the secret of trunk ${trunk} is not allowed (1 to 128 letters without accents, digits and signs, no blank at either end)`,
      remedy: { text: 'ask the provider for another' },
    });
  }
  return secret;
}
