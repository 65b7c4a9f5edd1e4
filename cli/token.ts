import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Star64Error } from '../domain/errors.js';
import { generateSecret } from '../domain/password.js';
import type { Settings } from './settings.js';

/**
 * The token that the generated dialplan and the FastAGI servers share: the one of the settings, else one that is made
 * once and kept in the data directory for its owner only. Two that start at once end up with the same.
 */
export async function loadToken(settings: Settings): Promise<string> {
  if (settings.agi.token !== undefined) return settings.agi.token;
  const path = join(settings.dataDir, 'token');
  const kept = await readToken(path);
  if (kept !== undefined) return kept;

  // PostgreSQL's data may lie below it, under a user of its own: passed through, not listed. The token is 0600.
  await mkdir(settings.dataDir, { recursive: true, mode: 0o711 });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${generateSecret()}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // A link appears whole or not at all, and never over another's.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readToken(path);
  if (made === undefined) throw new Star64Error('failure', `${path} vanished while it was made: try again.`);
  return made;
}

async function readToken(path: string): Promise<string | undefined> {
  let text: string;
  let mode: number;
  try {
    [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const others = 0o077;
  if ((mode & others) !== 0) {
    throw new Star64Error(
      'failure',
      `${path} can be read by others: remove it, so that a new one is made, and generate the files anew.`,
    );
  }
  const token = text.trim();
  if (!/^[A-Za-z0-9]{24,128}$/.test(token)) {
    throw new Star64Error('failure', `${path} holds no token: remove it, and a new one is made.`);
  }
  return token;
}
