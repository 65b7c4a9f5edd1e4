import { pino } from 'pino';
import type { Test } from 'tap';
import { OutboundLimits } from '../../domain/calls/limits/outbound-limits.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addTeam, type TeamChanges } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { patient } from '../../lab/patience.js';

let teams = 0;
/** Nothing that limits. */
export const none = {
  callsAtOnce: null,
  callsPerHour: null,
  callsPerDay: null,
  minutesPerHour: null,
  minutesPerDay: null,
};
export const minute = 60_000;

/** A team on a node of its own, with two extensions that nothing limits but what is given, a clock to set, and servers. */
export async function limitedTeam(db: Database, limits: TeamChanges = {}) {
  const team = `team${teams++}`;
  const node = team;
  await addTeam(db, team, { node, timeZone: 'Europe/Berlin', ...none, ...limits });
  for (const [index, number] of ['5000', '5001'].entries()) {
    await addUser(db, team, { username: `user${index}`, name: 'Anna Berg' });
    await addExtension(db, team, { number, user: `user${index}`, ...none });
  }
  const clock = { at: Date.parse('2026-11-25T11:00:00Z') };
  const said: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => void said.push(JSON.parse(line) as Record<string, unknown>) },
  );
  let asked = 0;
  const server = async (database: Database = db) => {
    const limits = new OutboundLimits(database, node, log, () => clock.at, 20);
    if (database === db) await limits.load();
    const call = (extension: string | null = '5000', more: { class?: string; call?: string } = {}) =>
      limits.check({
        team,
        extension,
        class: 'national',
        at: clock.at,
        call: `1700000000.${asked++}`,
        ...more,
      });
    /** How many of so many calls are let out. */
    const letOut = (calls: number, extension?: string | null): number =>
      Array.from({ length: calls }, () => call(extension)).filter((reached) => !reached).length;
    return { limits, call, letOut };
  };
  const record = async (uniqueid: string, row: object = {}): Promise<void> => {
    const extension = await db('extensions as x')
      .join('teams as t', 't.id', 'x.team_id')
      .where({ identity: team, number: '5000' })
      .first<{ id: number; team_id: number }>('x.id', 'x.team_id');
    await db('calls')
      .insert({
        team_id: extension.team_id,
        node,
        uniqueid,
        direction: 'out',
        class: 'national',
        from_extension_id: extension.id,
        arrived_at: new Date(clock.at),
        ...row,
      })
      .onConflict(['node', 'uniqueid'])
      .merge();
  };
  return { team, node, clock, said, server, record };
}
/** A connection of its own: its statements, of which those that match do not succeed. */
export function watched(
  t: Test,
  url: string,
): {
  own: Database;
  statements: string[];
  fail: (which: RegExp | undefined) => void;
} {
  const own = connect(url, patient);
  t.teardown(() => own.destroy());
  const statements: string[] = [];
  let failing: RegExp | undefined;
  const proxy = new Proxy(own, {
    get: (target, name) =>
      name !== 'raw'
        ? (Reflect.get(target, name) as unknown)
        : (sql: string, values: []) => {
            statements.push(sql);
            if (failing?.test(sql) !== true) return target.raw(sql, values);
            const failed = Promise.reject(new Error('canceling statement due to statement timeout'));
            return Object.assign(failed, { options: () => failed });
          },
  });
  return { own: proxy, statements, fail: (which) => void (failing = which) };
}
