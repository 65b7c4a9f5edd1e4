import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { usage } from '../../domain/errors.js';
import { packageRoot } from '../../domain/machine/package-root.js';

/**
 * Version of what templates are given. It goes up when a template of an operator's own that was made for the version
 * before would write something else or wrong: a value that is renamed, a subroutine that takes other arguments.
 */
export const templateVersion = 5;

/** The contexts of a team, in their order in its file. */
const contexts = [
  'phones',
  'emergency',
  'features',
  'numbers',
  'telephones',
  'callers',
  'outbound',
  'ways',
  'unknown',
  'inbound',
  'trunks',
  'dial-in',
  'groups',
  'hours',
  'ring-groups',
  'rooms',
  'announcements',
  'menus',
  'agents',
  'outside',
  'exits',
  'call-keys',
  'callbacks',
] as const;
const settingsOf = ['queue-settings', 'phone-settings', 'trunk-settings'] as const;
/** What an operator may replace. */
const replaceable: readonly string[] = [...contexts, ...settingsOf];

/** Templated files for all teams that have the marks. Their own paths decide what is read: not replaceable. */
const markedFiles = [
  'pjsip.conf',
  'queues.conf',
  'queuerules.conf',
  'features.conf',
  'extensions.conf',
] as const;
/** Copied as they are. */
const stableFiles = [
  'star64-code.conf',
  'star64-queue.conf',
  'star64-left.conf',
  'star64-callback.conf',
  'star64-record.conf',
  'star64-guard.conf',
  'star64-direct.conf',
  'star64-out.conf',
  'star64-destinations.conf',
  'star64-hours.conf',
  'star64-ring.conf',
  'star64-wrap-up.conf',
  'star64-own-call.conf',
  'star64-supervise.conf',
  'star64-telephone.conf',
  'star64-trunk.conf',
  'star64-emergency.conf',
  'star64-left-out.conf',
  'star64-number.conf',
  'star64-voice.conf',
  'star64-room.conf',
  'star64-in-call.conf',
  'star64-transfer.conf',
  'star64-click.conf',
] as const;

type Compiled = (values: object) => string;

/** Templates, ready to be filled. */
export interface Templates {
  /** Folder of a team's file, and what the file consists of. */
  team: { folder: string; parts: readonly Compiled[] }[];
  /** Fills the file of the trunks for every team. */
  trunks: Compiled;
  stable: { file: string; text: string }[];
  settings: { file: string; fill: Compiled };
  /** `dids` fills one context of it. */
  inbound: { file: string; fill: Compiled; dids: Compiled };
  marked: { file: string; fill: Compiled }[];
}

/**
 * Reads our templates, and those of an operator's own directory that replace one context of every team:
 * `team/<context>.hbs`. Throws `usage` for one that is made for another version, that replaces nothing, or is none.
 */
export async function readTemplates(own?: string): Promise<Templates> {
  const replaced = own === undefined ? new Map<string, string>() : await readOwn(own);
  const compile = (name: string, text: string): Compiled => {
    const template = Handlebars.compile<object>(text, {
      noEscape: true,
      strict: true,
      knownHelpersOnly: true,
    });
    return (values) => {
      try {
        return template(values);
      } catch (error) {
        throw usage(`The template ${name} cannot be used: ${firstLine(error)}.`);
      }
    };
  };
  const ours = async (name: string): Promise<Compiled> => compile(name, await shipped(name));
  const file = async (file: string): Promise<{ file: string; fill: Compiled }> => ({
    file,
    fill: await ours(`${file}.hbs`),
  });
  const part = async (name: string): Promise<Compiled> => {
    const text = replaced.get(name);
    return text === undefined ? ours(`team/${name}.hbs`) : compile(join(own ?? '', `team/${name}.hbs`), text);
  };
  const [queues, phones, ofTrunks] = settingsOf;
  const trunks = await part(ofTrunks);
  return {
    team: [
      { folder: 'teams', parts: await Promise.all(contexts.map(part)) },
      { folder: 'queues', parts: [await part(queues)] },
      { folder: 'phones', parts: [await part(phones), trunks] },
    ],
    trunks,
    stable: await Promise.all(stableFiles.map(async (file) => ({ file, text: await shipped(file) }))),
    settings: await file('star64-settings.conf'),
    inbound: { ...(await file('star64-inbound.conf')), dids: await ours('star64-dids.conf.hbs') },
    marked: await Promise.all(markedFiles.map(file)),
  };
}

async function readOwn(directory: string): Promise<Map<string, string>> {
  const names = await readdir(directory, { recursive: true }).catch((error: unknown) => {
    throw usage(`asterisk.templates_dir: ${directory} cannot be read (${code(error)}).`);
  });
  const found = new Map<string, string>();
  for (const file of names.filter((name) => name.endsWith('.hbs')).sort()) {
    const name = /^team\/(.+)\.hbs$/.exec(file)?.[1] ?? '';
    const path = join(directory, file);
    if (!replaceable.includes(name)) {
      throw usage(
        `The template ${path} replaces nothing: one context is replaced by team/<context>.hbs, with <context> one of ${replaceable.join(', ')}. The guard and the other shared files cannot be replaced. Move it away, or give it such a name.`,
      );
    }
    const text = await readFile(path, 'utf8');
    const version = /^\{\{! star64 template ([0-9]+) \}\}\r?\n/.exec(text)?.[1];
    if (version !== String(templateVersion)) {
      throw usage(
        `The template ${path} ${version === undefined ? 'does not say which version it is made for' : `is made for version ${version} of the templates`}, and this star64 has version ${templateVersion}: compare it with dialplan-templates/team/${name}.hbs, take over what has changed, and make its first line {{! star64 template ${templateVersion} }}.`,
      );
    }
    found.set(name, text);
  }
  return found;
}

const shipped = (file: string): Promise<string> =>
  readFile(new URL(`dialplan-templates/${file}`, packageRoot), 'utf8');
const code = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';
const firstLine = (error: unknown): string => (error as Error).message.split('\n')[0] ?? '';
