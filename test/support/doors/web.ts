import { pino } from 'pino';
import type { Test } from 'tap';
import type { Database } from '../../../domain/database/pool.js';
import { addApiToken, type TokenRole } from '../../../domain/provisioning/people/api-token.js';
import { createWeb, type WebSettings } from '../../../web/server.js';

/** The API of a database, asked without a network; it ends with the test. */
export async function apiOf(t: Test, db: Database, settings: Partial<WebSettings> = {}) {
  const web = await createWeb(db, pino({ enabled: false }), { version: '0', ...settings });
  t.teardown(() => web.close());
  return web;
}

/** A new token of a team. */
export async function tokenOf(
  db: Database,
  team: string,
  role: TokenRole,
  name = `a_${role}`,
): Promise<string> {
  return (await addApiToken(db, team, name, { role, by: 'test' })).token;
}

/** Opens the metrics of whoever is started with it. */
export const metricsToken = 'm'.repeat(32);

/** The header by which a token is sent. */
export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
