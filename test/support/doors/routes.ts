import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../../domain/database/pool.js';
import { nouns } from '../../../domain/provisioning/nouns/index.js';
import { plural } from '../../../web/routes/provisioning.js';
import { examples } from './noun-examples.js';

/** A route as it was declared. */
export interface Route {
  method: string;
  /** With `:parameters`. */
  path: string;
  /** `POST /v1/…`, for messages. */
  name: string;
  /** The least role that it opens to; undefined: everybody. */
  role: string | undefined;
  config: { agent?: string; limits?: boolean };
  parameters: string[];
  query: z.ZodType | undefined;
  body: z.ZodType | undefined;
}

/** Gathers every route that a server has; HEAD is the GET of the same path. */
export const routesOf =
  (routes: Route[]) =>
  ({ method, url, config, schema }: RouteOptions): void => {
    for (const one of [method].flat()) {
      if (one === 'HEAD' || one === 'OPTIONS') continue;
      const { role, ...rest } = (config ?? {}) as { role?: string };
      routes.push({
        method: one,
        path: url,
        name: `${one} ${url}`,
        role,
        config: rest,
        parameters: [...url.matchAll(/:([a-z_]+)/g)].map(([, name]) => name ?? ''),
        query: schema?.querystring as z.ZodType | undefined,
        body: schema?.body as z.ZodType | undefined,
      });
    }
  };

/** The path with values for its parameters. */
export const pathOf = ({ path }: Route, values: Readonly<Record<string, string>>): string =>
  path.replace(/:([a-z_]+)/g, (_whole, name: string) => encodeURIComponent(values[name] ?? 'x'));

/** What a field of a body can be, where its type does not say it. */
const words: Readonly<Record<string, unknown>> = {
  extension: '5001',
  number: '5002',
  to: '5002',
  agent: '1001',
  mode: 'all',
  group: 'support',
  url: 'https://crm.example.org/',
  since: 60,
};

/** Names of what can be given in a body or a query. */
export function fieldsOf(schema: z.ZodType | undefined): string[] {
  if (!schema) return [];
  const { properties, anyOf } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
  return [
    ...new Set(
      [properties, ...(anyOf ?? []).map((one) => one.properties)].flatMap((some) => Object.keys(some ?? {})),
    ),
  ];
}

/** The smallest body that a route takes; of a noun one that changes something. */
export function bodyFor({ path, method, body }: Route): unknown {
  if (!body) return undefined;
  const noun = nounAt(path);
  if (noun) return method === 'POST' ? examples[noun.noun]?.add : examples[noun.noun]?.set;
  return sample(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }) as Schema, '');
}

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  minimum?: number;
}
function sample(schema: Schema, name: string): unknown {
  if (name in words && schema.type !== 'object' && !schema.enum) return words[name];
  const [choice] = schema.enum ?? schema.anyOf ?? [];
  if (schema.const !== undefined) return schema.const;
  if (choice !== undefined) return schema.anyOf ? sample(choice as Schema, name) : choice;
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((key) => [key, sample(schema.properties?.[key] ?? {}, key)]),
      );
    case 'array':
      return [sample(schema.items ?? {}, name)];
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return true;
    default:
      return 'crm';
  }
}

const nounAt = (path: string) =>
  nouns.find(({ noun }) =>
    path.match(new RegExp(`/provisioning/(${noun === 'team' ? 'team' : plural(noun)})(/:name)?$`)),
  );

const inZeta = `(select id from teams where identity = 'zeta')`;

/**
 * What another team, zeta, has of each thing that a path can name, made when a route asks for it, and what nobody has. Of
 * nouns the examples were added to it.
 */
const others: Readonly<Record<string, { none: string; theirs: (db: Database) => Promise<string> }>> = {
  agent: { none: '1908', theirs: () => Promise.resolve('1900') },
  group: { none: 'nobody', theirs: () => Promise.resolve('sales') },
  call: {
    none: 'z.404',
    theirs: async (db) => {
      await db.raw(
        `insert into calls (team_id, uniqueid, caller, node) values (${inZeta}, 'z.1', '0301', 'default')
         on conflict do nothing`,
      );
      return 'z.1';
    },
  },
  popup: {
    none: '999999999',
    theirs: (db) =>
      idOf(
        db,
        `insert into popups (team_id, node, channel, call, kind, application, extension_id, username, opened_at)
         select team_id, 'default', 'z.' || clock_timestamp(), 'z.1', 'direct', 'campaign', id, 'berta', now()
         from extensions where team_id = ${inZeta} limit 1 returning id`,
      ),
  },
  webhook: {
    none: 'nohook',
    theirs: async (db) => {
      await db.raw(
        `insert into webhooks (team_id, name, url, secret, enabled) values (${inZeta}, 'zhook', 'https://z.example/',
           'whsec_' || repeat('A', 43) || '=', false) on conflict do nothing`,
      );
      return 'zhook';
    },
  },
  delivery: {
    none: '999999999',
    theirs: (db) =>
      idOf(
        db,
        `insert into webhook_deliveries (team_id, webhook_id, message, type, at, state)
         select team_id, id, 'z' || clock_timestamp(), 'x', now(), 'dead' from webhooks where name = 'zhook' returning id`,
      ),
  },
};

async function idOf(db: Database, sql: string): Promise<string> {
  const { rows } = await db.raw<{ rows: { id: string | number }[] }>(sql);
  return String(rows[0]?.id);
}

/** Values of a path's parameters that only zeta has, and that nobody has; undefined for a parameter that is not known here. */
export async function guessesOf(
  db: Database,
  { path, parameters }: Route,
): Promise<{ theirs: Record<string, string>; none: Record<string, string> } | undefined> {
  const theirs: Record<string, string> = { team: 'astercc' };
  const none: Record<string, string> = { team: 'astercc' };
  for (const parameter of parameters) {
    if (parameter === 'team') continue;
    const noun = nounAt(path);
    const name = noun && examples[noun.noun]?.name;
    const other = others[parameter];
    if (parameter === 'name' && name !== undefined) {
      theirs[parameter] = name;
      none[parameter] = name.replace(/[a-z0-9]$/, (last) => (last === '8' ? '7' : '8'));
    } else if (other) {
      theirs[parameter] = await other.theirs(db);
      none[parameter] = other.none;
    } else return undefined;
  }
  return { theirs, none };
}
