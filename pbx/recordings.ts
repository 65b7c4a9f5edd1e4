import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Database } from '../domain/database/pool.js';
import { LastingFault } from '../domain/machine/lasting-fault.js';
import { Loop } from './watch/loop.js';

/** A day whose recordings were deleted, or could not be. */
export interface ExpiredDay {
  team: string;
  /** In UTC, as in the files' names. */
  day: string;
  files: number;
  /** Why it is still there; null: it is deleted. */
  trouble: string | null;
}

export interface RecordingsSettings {
  /** Asterisk's directory of recordings, `<astspooldir>/monitor`, as this process sees it. */
  directory: string;
  node: string;
}

/**
 * Deletes the recordings of the teams of a node that are older than their team keeps them: whole days, `star64/<team>/<day>`,
 * so that files of which nobody knows a call go as well. Only whoever may write there can do it, which is Asterisk's user
 * on Asterisk's machine. Throws what `readdir` says where there are no recordings.
 */
export async function expireRecordings(
  db: Database,
  { directory, node }: RecordingsSettings,
): Promise<ExpiredDay[]> {
  const { rows: teams } = await db.raw<{ rows: { id: number; identity: string; oldest: string }[] }>(
    `select id, identity,
       to_char((clock_timestamp() at time zone 'UTC')::date - keep_recordings_days, 'YYYY-MM-DD') as oldest
     from teams where node = ? and keep_recordings_days > 0 order by identity`,
    [node],
  );
  const recorded = new Set(await readdir(join(directory, 'star64')));
  const expired: ExpiredDay[] = [];
  for (const { id, identity, oldest } of teams.filter((team) => recorded.has(team.identity))) {
    const of = join(directory, 'star64', identity);
    for (const day of (await readdir(of)).filter((name) => isDay(name) && name < oldest).sort()) {
      const trouble = await remove(join(of, day));
      expired.push({ team: identity, day, ...trouble });
      if (trouble.trouble === null)
        await db('recordings')
          .where({ team_id: id, deleted_at: null })
          .where('file', '>', `star64/${identity}/${day}/`)
          .where('file', '<', `star64/${identity}/${day}0`)
          .update({ deleted_at: db.raw('clock_timestamp()') });
    }
  }
  return expired;
}

const isDay = (name: string): boolean => /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(name);

/** No link is followed: what it leads to is not ours. */
async function remove(path: string): Promise<{ files: number; trouble: string | null }> {
  try {
    if (!(await lstat(path)).isDirectory()) return { files: 0, trouble: 'is no directory' };
    const files = (await readdir(path)).length;
    await rm(path, { recursive: true });
    return { files, trouble: null };
  } catch (error) {
    return { files: 0, trouble: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
  }
}

const everyMs = 3_600_000;

/**
 * Deletes old recordings every hour where the server runs on Asterisk's machine and may. Elsewhere it says nothing: there
 * `star64 recording expire` does it, on Asterisk's machine.
 */
export class RecordingRetention {
  readonly #loop: Loop;
  readonly #forbidden: LastingFault;

  constructor(
    private readonly db: Database,
    private readonly settings: RecordingsSettings,
    private readonly log: Logger,
  ) {
    this.#loop = new Loop(() => this.#expire());
    this.#forbidden = new LastingFault(log, {
      fault: 'old recordings cannot be deleted: let Asterisk’s user run `star64 recording expire` every day',
      over: 'old recordings are deleted again',
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #expire(): Promise<number> {
    const { directory } = this.settings;
    try {
      const expired = await expireRecordings(this.db, this.settings);
      const kept = expired.filter(({ trouble }) => trouble !== null);
      const gone = expired.filter(({ trouble }) => trouble === null);
      if (gone.length > 0)
        this.log.info(
          { days: gone.length, files: gone.reduce((sum, { files }) => sum + files, 0) },
          'old recordings deleted',
        );
      if (kept[0]) this.#forbidden.met(kept[0].trouble ?? '', { directory, days: kept.length });
      else this.#forbidden.over();
    } catch (error) {
      this.log.debug({ reason: (error as Error).message, directory }, 'no recordings to be seen from here');
    }
    return everyMs;
  }
}
