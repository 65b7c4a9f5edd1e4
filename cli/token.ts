import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { useAgiToken } from '../domain/database/agi-token.js';
import type { Queryable } from '../domain/database/pool.js';
import type { Settings } from './settings.js';

/**
 * The token that the generated dialplan and the FastAGI servers share: the one of the settings, else the one in the
 * database. The first of all who use that one hands over what an earlier version left in the data directory.
 */
export async function loadToken(
  settings: Settings,
  db: Queryable,
  say: (text: string) => void,
): Promise<string> {
  if (settings.agi.token !== undefined) return settings.agi.token;
  const before = await readOldToken(settings.dataDir, say);
  const { token, takenOver } = await useAgiToken(db, before);
  if (takenOver) say(`the token of ${fileIn(settings.dataDir)} is in the database now: remove the file`);
  return token;
}

/** Hands over what an earlier version left, without needing a token: for `migrate`, which an upgrade begins with. */
export async function handOverToken(
  settings: Settings,
  db: Queryable,
  say: (text: string) => void,
): Promise<void> {
  if ((await readOldToken(settings.dataDir, () => undefined)) !== undefined)
    await loadToken(settings, db, say);
}

const fileIn = (dataDir: string): string => join(dataDir, 'token');

/** The token that an earlier version kept in a file; undefined where there is none, or one that cannot be trusted. */
async function readOldToken(dataDir: string, say: (text: string) => void): Promise<string | undefined> {
  const path = fileIn(dataDir);
  let text: string;
  let mode: number;
  try {
    [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
  } catch {
    // Whoever runs this cannot have used it either.
    return undefined;
  }
  const token = text.trim();
  if ((mode & 0o077) === 0 && /^[A-Za-z0-9]{24,128}$/.test(token)) return token;
  say(`${path} is not taken over, since others can read it or it holds no token: remove it`);
  return undefined;
}
