import { readFile } from 'node:fs/promises';
import { packageRoot } from '../../domain/machine/package-root.js';

/** The lines for manager.conf that docs/speed.md advises: for the section of star64's user, and for all. */
export async function managerAdvice(): Promise<{ user: string; general: string }> {
  const text = await readFile(new URL('docs/speed.md', packageRoot), 'utf8');
  const block = (word: string): string => {
    const found = new RegExp(`^\`\`\`\\n((?:(?!\`\`\`)[^])*?^${word} = [^]*?)^\`\`\`$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`docs/speed.md advises no ${word}`);
    return found;
  };
  return { user: block('eventfilter'), general: block('disabledevents') };
}
