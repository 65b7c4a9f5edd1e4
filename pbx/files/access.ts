import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fail, usage } from '../../domain/errors.js';
import { run } from '../../domain/machine/processes.js';

/** Bits of the mode that are ours to decide; those above them, such as set-group-ID, are the directory's. */
const permissions = 0o777;
export const fileMode = 0o640;
export const directoryMode = 0o750;
/** What is made in such a directory gets its group. */
const settingGroup = 0o2000;

/** As whom Asterisk runs. */
export interface Reader {
  name: string;
  uid: number;
  /** Name of the first of the groups. */
  group: string;
  /** The first is that of the user, the others are of those who have them as a member. */
  gids: readonly number[];
}

/** Who owns what is generated, and who must be able to read it. */
export interface Access {
  /** Undefined: whoever generates. Only root can say another. */
  uid: number | undefined;
  gid: number;
  /** Undefined: nobody knows as whom Asterisk runs. */
  reader: Reader | undefined;
}

export interface AccessOptions {
  /** As whom Asterisk runs; `required` where somebody has said so. Without it nothing is checked. */
  reader?: { user: string; required: boolean } | undefined;
  /** The group of what is generated. Default: that of the directory. */
  group?: string | undefined;
}

/**
 * Finds out who owns what is generated into a directory, and gives the directory itself its group. The group is the one
 * that was asked for, else the directory's; a directory of root's own group, made by root a moment ago, gets the group
 * of the user as whom Asterisk runs. What root generates belongs to the owner of the directory, who can then go on.
 */
export async function accessTo(directory: string, { reader, group }: AccessOptions): Promise<Access> {
  const user = reader && (await findUser(reader.user));
  if (reader?.required && !user)
    throw usage(`asterisk.user (STAR64_ASTERISK_USER): this machine has no user ${reader.user}.`);
  const { uid, gid: gidNow } = await stat(directory);
  const root = process.getuid?.() === 0;
  let gid = gidNow;
  if (group !== undefined) gid = await findGroup(group);
  else if (root && gidNow === 0 && user) gid = user.gids[0] ?? gidNow;
  const access = { uid: root ? uid : undefined, gid, reader: user };
  if (gid !== gidNow) await settle(directory, access, directoryMode);
  return access;
}

/**
 * Gives a file or directory owner, group and mode, if it has others. Throws with the cure where that is not allowed. Root
 * has directories hand their group on, for a service user who generates next and may not give anything to that group.
 */
export async function settle(path: string, { uid, gid }: Access, mode: number): Promise<void> {
  const now = await lstat(path);
  // Whoever may write the directory could have root change what such a link points to.
  if (!now.isFile() && !now.isDirectory())
    throw fail('not_readable', {
      facts: { path },
      says: `${path} is neither a file nor a directory, and star64 has made nothing else there`,
      remedy: { text: 'look who has put it there, and remove it' },
    });
  const handsOn = mode === directoryMode && uid !== undefined ? settingGroup : now.mode & settingGroup;
  const otherOwner = (uid !== undefined && now.uid !== uid) || now.gid !== gid;
  const otherMode = (now.mode & (settingGroup | permissions)) !== (handsOn | mode);
  if (!otherOwner && !otherMode) return;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      if (otherOwner) await file.chown(uid ?? now.uid, gid);
      if (otherMode) await file.chmod(handsOn | mode);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!['EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw fail('not_readable', {
      facts: { path, uid: now.uid, gid: now.gid },
      says: `${path} has the wrong owner, group or mode, and only its owner or root may change that`,
      remedy: { text: `type as root: chown -R ${process.getuid?.() ?? 0}:${gid} ${path}` },
    });
  }
}

/** Settles a generation with everything in it. */
export async function settleTree(path: string, access: Access): Promise<void> {
  await settle(path, access, directoryMode);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await settleTree(inner, access);
    else await settle(inner, access, fileMode);
  }
}

/**
 * Checks that Asterisk's user can read these files, by owner, group and mode of each and of all directories above. Throws
 * with the command to type for the first that stands in the way.
 */
export async function checkReadable(
  directory: string,
  files: readonly string[],
  access: Access,
): Promise<void> {
  const { reader } = access;
  if (!reader || reader.uid === 0) return;
  const seen = new Set<string>();
  for (const file of files) {
    const real = await realpath(file);
    for (const path of [...ancestors(real), real]) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { mode, uid, gid } = await stat(path);
      const bits = uid === reader.uid ? mode >> 6 : reader.gids.includes(gid) ? mode >> 3 : mode;
      const needed = path === real ? 4 : 1;
      // An access control list may allow what the mode does not: who may become that user tries it.
      if ((bits & needed) !== 0 || (await reads(reader, real))) continue;
      throw unreadable(reader, path, path === real, { directory: await realpath(directory), gid });
    }
  }
}

function unreadable(
  reader: Reader,
  path: string,
  isFile: boolean,
  { directory, gid }: { directory: string; gid: number },
): Error {
  const ours = path === directory || path.startsWith(directory + sep);
  const { name, group } = reader;
  const cure = ours
    ? `chgrp -R ${group} ${directory}; find ${directory} -type d -exec chmod 2750 {} +`
    : reader.gids.includes(gid)
      ? `chmod g+x ${path}`
      : `chgrp ${group} ${path}; chmod g+x ${path} (or, so that everybody may pass: chmod o+x ${path})`;
  return fail('not_readable', {
    name: path,
    facts: { path, user: name, group },
    says: `Asterisk, which runs as ${name}, cannot ${isFile ? 'read' : 'enter'} ${path}, and would not find its files`,
    remedy: {
      text: `type as root: ${cure}; then again what you have just typed. If Asterisk runs as another user, say so: asterisk.user (STAR64_ASTERISK_USER)`,
    },
  });
}

/** Whether the user can really read a file; false where nobody here may try. */
async function reads(reader: Reader, file: string): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const [gid = 0] = reader.gids;
  const words = [`--reuid=${reader.uid}`, `--regid=${gid}`, `--groups=${reader.gids.join(',')}`];
  return run('setpriv', [...words, '--', 'test', '-r', file]).then(
    () => true,
    () => false,
  );
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...ancestors(parent), parent];
}

async function findUser(name: string): Promise<Reader | undefined> {
  const entry = (await ask('getent', ['passwd', name]))?.split(':');
  const groups = await ask('id', ['-G', name]);
  const group = await ask('id', ['-gn', name]);
  if (!entry || groups === undefined || group === undefined) return undefined;
  const first = Number(entry[3]);
  const all = groups.split(/\s+/).map(Number);
  return { name, uid: Number(entry[2]), group, gids: [first, ...all.filter((gid) => gid !== first)] };
}

async function findGroup(name: string): Promise<number> {
  const entry = await ask('getent', ['group', name]);
  if (entry === undefined)
    throw usage(`asterisk.group (STAR64_ASTERISK_GROUP): this machine has no group ${name}.`);
  return Number(entry.split(':')[2]);
}

/** The first line of what a command says; undefined where it finds nothing. */
const ask = (command: string, args: string[]): Promise<string | undefined> =>
  run(command, args).then(
    ({ stdout }) => stdout.split('\n')[0],
    () => undefined,
  );
