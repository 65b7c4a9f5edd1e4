import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileOf, type Part } from './parts.js';

/** A generation as its files say it. */
export interface Contents {
  generation: string;
  path: string;
  /** What is read back of each part; undefined where the files are older than such marks. */
  marks: Record<Part, string | undefined>;
  /** The text of every queue and every phone, by name. */
  queues: ReadonlyMap<string, string>;
  phones: ReadonlyMap<string, string>;
  /** The rules of queues whose callers overflow. */
  rules: ReadonlyMap<string, string>;
}

/** Reads a generation back from its directory, also one that an older star64 has written. */
export async function readContents(path: string, generation: string): Promise<Contents> {
  const site = async (part: Part): Promise<string> => readFile(join(path, fileOf[part]), 'utf8');
  return {
    generation,
    path,
    marks: {
      dialplan: generation,
      // Their text is read back itself.
      rules: generation,
      features: existsSync(join(path, fileOf.features))
        ? /^\[(star64-features-g[0-9a-f]{16})\]$/m.exec(await site('features'))?.[1]
        : undefined,
      queues: /^\[(star64-queues-g[0-9a-f]{16})\]$/m.exec(await site('queues'))?.[1],
      phones: /^\[(star64-phones-g[0-9a-f]{16})\]$/m.exec(await site('phones'))?.[1],
    },
    queues: await sectionsBelow(join(path, 'queues')),
    phones: await sectionsBelow(join(path, 'phones')),
    rules: existsSync(join(path, fileOf.rules)) ? sectionsOf(await site('rules')) : new Map(),
  };
}

/** What one generation has and another has not: sections of queues or phones, as text. */
export function leftBehind(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...before].filter(([name]) => !after.has(name)));
}

async function sectionsBelow(folder: string): Promise<Map<string, string>> {
  const sections = new Map<string, string>();
  for (const file of (await readdir(folder)).sort())
    for (const [name, text] of sectionsOf(await readFile(join(folder, file), 'utf8')))
      sections.set(name, text);
  return sections;
}

function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split('\n')) {
    name = /^\[([^\]]+)\]/.exec(line)?.[1] ?? name;
    // A phone has several sections of one name.
    if (name !== undefined) sections.set(name, `${sections.get(name) ?? ''}${line}\n`);
  }
  return sections;
}
