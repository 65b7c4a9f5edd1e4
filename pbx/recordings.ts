import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Database } from '../domain/database/pool.js';
import { withDatabaseErrors } from '../domain/database/sql-errors.js';
import { LastingFault } from '../domain/machine/lasting-fault.js';
import { Loop } from './watch/loops/loop.js';

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

/** What became of recordings that are old. */
export interface ExpiredRecordings {
  days: ExpiredDay[];
  /** Directories of teams that there are no more, on no node: nobody says how long their recordings are kept. */
  ofNoTeam: string[];
}

/** Of a team whose recordings are looked at. */
interface Team {
  id: number;
  identity: string;
  /** The first day that is kept; null: all of them are, or another node's servers see to it. */
  oldest: string | null;
}

/** So many rows are marked by one statement. */
const portion = 5000;

/**
 * Deletes the recordings of the teams of a node that are older than their team keeps them: whole days, `star64/<team>/<day>`,
 * so that files of which nobody knows a call go as well. Only whoever may write there can do it, which is Asterisk's user
 * on Asterisk's machine. Throws what `readdir` says where there are no recordings (`isUnseen`).
 */
export async function expireRecordings(
  db: Database,
  { directory, node }: RecordingsSettings,
): Promise<ExpiredRecordings> {
  const recorded = new Set(await readdir(join(directory, 'star64')));
  const { rows: teams } = await withDatabaseErrors(() =>
    db.raw<{ rows: Team[] }>(
      `select id, identity, case when node = ? and keep_recordings_days > 0 then
         to_char((clock_timestamp() at time zone 'UTC')::date - keep_recordings_days, 'YYYY-MM-DD') end as oldest
       from teams order by identity`,
      [node],
    ),
  );
  const days: ExpiredDay[] = [];
  for (const { id, identity, oldest } of teams.filter((team) => recorded.has(team.identity))) {
    if (oldest === null) continue;
    const of = join(directory, 'star64', identity);
    const kept: string[] = [];
    for (const day of (await readdir(of)).filter((name) => isDay(name) && name < oldest).sort()) {
      const removed = await remove(join(of, day));
      days.push({ team: identity, day, ...removed });
      if (removed.trouble !== null) kept.push(day);
    }
    await withDatabaseErrors(() => mark(db, { id, identity, oldest }, kept));
  }
  const known = new Set(teams.map(({ identity }) => identity));
  const ofNoTeam = [...recorded].filter((name) => /^[a-z0-9]+$/.test(name) && !known.has(name)).sort();
  return { days, ofNoTeam: ofNoTeam.map((name) => join(directory, 'star64', name)) };
}

/**
 * Has the rows of a team say that their files are deleted, all but those of the days that are still there. It goes by the
 * date and not by what has been deleted just now: what could not be marked at that time is marked the next time.
 */
async function mark(
  db: Database,
  { id, identity, oldest }: Team & { oldest: string },
  kept: readonly string[],
): Promise<void> {
  const values = { id, first: `star64/${identity}/`, end: `star64/${identity}/${oldest}`, kept, portion };
  for (;;) {
    const { rowCount } = await db.raw<{ rowCount: number }>(
      `update recordings set deleted_at = clock_timestamp() where id = any(array(
         select id from recordings where team_id = :id and deleted_at is null and file > :first and file < :end
           and split_part(file, '/', 3) <> all(:kept::text[])
         order by file limit :portion))`,
      values as never,
    );
    if (rowCount < portion) return;
  }
}

/** Whether an error says that no recordings are to be seen from here, and nothing else. */
export const isUnseen = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'scandir';

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
  readonly #unread: LastingFault;

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
    this.#unread = new LastingFault(log, {
      fault:
        'PostgreSQL does not say which recordings are old, or does not take which are deleted: tried again every hour',
      over: 'PostgreSQL knows which recordings are deleted',
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
      const { days } = await expireRecordings(this.db, this.settings);
      this.#unread.over();
      const kept = days.filter(({ trouble }) => trouble !== null);
      const gone = days.filter(({ trouble }) => trouble === null);
      if (gone.length > 0)
        this.log.info(
          { days: gone.length, files: gone.reduce((sum, { files }) => sum + files, 0) },
          'old recordings deleted',
        );
      if (kept[0]) this.#forbidden.met(kept[0].trouble ?? '', { directory, days: kept.length });
      else this.#forbidden.over();
    } catch (error) {
      const reason = (error as Error).message;
      if (isUnseen(error)) this.log.debug({ reason, directory }, 'no recordings to be seen from here');
      else this.#unread.met(reason, { directory });
    }
    return everyMs;
  }
}
