import { createHash } from 'node:crypto';
import { chmod, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../domain/database/pool.js';
import { conflict } from '../../domain/errors.js';
import { makeDirectory } from '../../domain/machine/directory.js';
import { FileLock } from '../../domain/machine/lock.js';
import { rememberGeneration } from '../../domain/provisioning/generations.js';
import { accessTo, directoryMode, settle, type Access, type AccessOptions } from './access.js';
import { Draft } from './draft.js';
import { teamModel, type GenerateSettings } from './model/model.js';
import { partOf } from './parts.js';
import {
  noMarks,
  renderMarked,
  renderShared,
  renderTeam,
  renderTrunks,
  type GeneratedFile,
} from './render.js';
import { readRows } from './model/rows.js';
import { bucketModels, siteModel } from './model/site-model.js';
import { readTemplates } from './templates.js';

export interface GenerateOptions extends GenerateSettings, AccessOptions {
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

/** A generation that is written and not in force yet. */
export interface Written {
  generation: string;
  draft: Draft;
  unreachable: Generated['unreachable'];
  /** What its rows have, for `forgetChanges`. */
  changes: readonly string[];
}

/**
 * Writes Asterisk's files of all teams and puts them in force. The rows are read in one snapshot, and the connection is
 * given back before a file is written. Throws before anything that Asterisk reads has changed, or not at all.
 */
export function generate(db: Database, options: GenerateOptions): Promise<Generated> {
  return exclusively(options, async (access) => {
    const written = await write(db, options, access);
    const { generation, unreachable } = written;
    const changed = await written.draft.putInForce(generation);
    return { generation, changed, unreachable };
  });
}

/**
 * One process works on the directory after the other: the lock is the kernel's, on a file in it, so a killed one leaves
 * nothing in the way, and it is taken before the rows are read, so that the one that comes last has the newest.
 */
export async function exclusively<T>(
  options: Pick<GenerateOptions, 'directory' | 'onWait' | keyof AccessOptions>,
  work: (access: Access) => Promise<T>,
): Promise<T> {
  const { directory } = options;
  const made = await makeDirectory(directory, directoryMode);
  const access = await accessTo(directory, options);
  if (made) await settle(directory, access, directoryMode);
  const lockFile = join(directory, '.generating');
  const lock = await FileLock.acquire(lockFile, () => void tellWho(lockFile, options.onWait));
  try {
    // Past the umask, so that another user of the directory's group may generate as well; its owner has seen to it.
    await chmod(lockFile, 0o660).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    });
    await truncate(lockFile);
    await writeFile(lockFile, `process ${process.pid} since ${new Date().toISOString()}`, { flag: 'a' });
    return await work(access);
  } finally {
    await lock.release();
  }
}

/**
 * Writes the files beside those in force, checks them, and settles who may read what is there. `kept` names a generation
 * that stays beside those that are linked.
 */
export async function write(
  db: Database,
  options: GenerateOptions,
  access: Access,
  kept?: string,
): Promise<Written> {
  const templates = await readTemplates(options.templatesDirectory);
  const { teams, trunks, changes, formsOf } = await readRows(db, options.node);
  if (teams.length === 0 && options.empty !== true) await refuseEmpty(db, options.node);
  const site = siteModel({ teams, trunks }, options);
  const unreachable: Generated['unreachable'] = [];
  const names = {
    all: createHash('sha256'),
    queues: createHash('sha256'),
    phones: createHash('sha256'),
    features: createHash('sha256'),
  };
  const name = (files: GeneratedFile[]): void => {
    for (const { path, text } of files) {
      const part = partOf(path);
      const own = part === 'rules' || part === 'dialplan' ? [names.all] : [names.all, names[part]];
      for (const named of own) named.update(`${path}\0`).update(text).update('\0');
    }
  };
  const digest = (of: keyof typeof names): string => `g${names[of].digest('hex').slice(0, 16)}`;
  const draft = await Draft.begin(options.directory, access, kept);
  const add = async (files: GeneratedFile[]): Promise<void> => {
    name(files);
    for (const file of files) await draft.add(file);
  };
  try {
    await add(renderTrunks(templates, site));
    await add(renderShared(templates, site, bucketModels({ teams, formsOf })));
    // What holds the marks itself is named by its text without them.
    name(renderMarked(templates, site, noMarks));
    for (const team of teams) {
      const model = teamModel(team, options, formsOf);
      await add(renderTeam(templates, model));
      const numbers = model.unreachable.map(({ number }) => number);
      if (numbers.length > 0) unreachable.push({ team: team.identity, numbers });
    }
    const generation = digest('all');
    const marks = {
      generation,
      queues: `star64-queues-${digest('queues')}`,
      phones: `star64-phones-${digest('phones')}`,
      features: `star64-features-${digest('features')}`,
    };
    for (const file of renderMarked(templates, site, marks)) await draft.add(file);
    await draft.settle();
    // Before it is in force: Asterisk may load it then, and is ours by that.
    await rememberGeneration(db, options.node, generation);
    return { generation, draft, unreachable, changes };
  } catch (error) {
    await draft.abandon();
    throw error;
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
