import { createHash } from 'node:crypto';
import { chmod, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../domain/database/pool.js';
import { conflict } from '../../domain/errors.js';
import { makeDirectory } from '../../domain/machine/directory.js';
import { FileLock } from '../../domain/machine/lock.js';
import { Draft } from './draft.js';
import { siteModel, teamModel, type GenerateSettings } from './model.js';
import { renderSite, renderTeam, type GeneratedFile } from './render.js';
import { readRows } from './rows.js';
import { readTemplates } from './templates.js';

export interface GenerateOptions extends GenerateSettings {
  /** Write the files of an Asterisk on which no team lives, too. */
  empty?: boolean;
  /** Templates of the operator's own. */
  templatesDirectory?: string | undefined;
  /** Told once, when another process generates into the directory, who that is; it is waited for. */
  onWait?: (who: string) => void;
}

export interface Generated {
  /** Names the content: the same database, settings and templates have the same name. */
  generation: string;
  /** False: it was in force already. */
  changed: boolean;
  /** Telephones that nobody can call, since their team has no trunk. */
  unreachable: { team: string; numbers: string[] }[];
}

/**
 * Writes Asterisk's files of all teams and puts them in force. The rows are read in one snapshot, and the connection is
 * given back before a file is written. One process generates after the other: the lock is the kernel's, on a file in the
 * directory, so a killed one leaves nothing in the way, and it is taken before the rows are read, so that the one that
 * comes last has the newest. Throws before anything that Asterisk reads has changed, or not at all.
 */
export async function generate(db: Database, options: GenerateOptions): Promise<Generated> {
  const { directory } = options;
  await makeDirectory(directory, 0o750);
  const lockFile = join(directory, '.generating');
  const lock = await FileLock.acquire(lockFile, () => void tellWho(lockFile, options.onWait));
  try {
    // Past the umask, so that another user of the directory's group may generate as well; its owner has seen to it.
    await chmod(lockFile, 0o660).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    });
    await truncate(lockFile);
    await writeFile(lockFile, `process ${process.pid} since ${new Date().toISOString()}`, { flag: 'a' });
    const templates = await readTemplates(options.templatesDirectory);
    const rows = await readRows(db, options.node);
    if (rows.length === 0 && options.empty !== true) await refuseEmpty(db, options.node);
    const site = siteModel(rows, options);
    const unreachable: Generated['unreachable'] = [];
    const hash = createHash('sha256');
    const name = (files: GeneratedFile[]): void => {
      for (const { path, text } of files) hash.update(`${path}\0${text}\0`);
    };
    // What holds the name of the generation itself is named by its text without one.
    name(renderSite(templates, site, 'none'));
    const draft = await Draft.begin(directory);
    try {
      for (const team of rows) {
        const model = teamModel(team, options);
        const files = renderTeam(templates, model);
        name(files);
        for (const file of files) await draft.add(file);
        const numbers = model.unreachable.map(({ number }) => number);
        if (numbers.length > 0) unreachable.push({ team: team.identity, numbers });
      }
      const generation = `g${hash.digest('hex').slice(0, 16)}`;
      for (const file of renderSite(templates, site, generation)) await draft.add(file);
      return { generation, changed: await draft.putInForce(generation), unreachable };
    } catch (error) {
      await draft.abandon();
      throw error;
    }
  } finally {
    await lock.release();
  }
}

/** A wrong name of the node would take every queue, phone and number away from an Asterisk that works. */
async function refuseEmpty(db: Database, node: string): Promise<void> {
  const nodes = await db('teams').distinct('node').orderBy('node').pluck<string[]>('node');
  if (nodes.length === 0) return;
  throw conflict(
    `no team lives on the Asterisk ${node}, but on ${nodes.join(', ')}, and its files would be empty: set asterisk.node (STAR64_ASTERISK_NODE), move a team there (star64 team set <team> --node ${node}), or say --empty.`,
  );
}

async function tellWho(lockFile: string, tell: GenerateOptions['onWait']): Promise<void> {
  // Who it is only helps a person who waits.
  const who = await readFile(lockFile, 'utf8').catch(() => '');
  tell?.(who === '' ? 'another process' : who);
}
