import { cacheDirectory } from '../../domain/machine/cache.js';
import { labUnavailable, type Progress, type TreeName } from '../../lab/debian.js';

/**
 * For a test that needs programs of the lab, by default the private Asterisk and the phones: resolves to false when it
 * can run (the trees are in the cache then), else to the text for tap's `skip`. Where the lab must be had, in CI or with STAR64_REQUIRE_LAB set, a
 * reason to skip is an error: a green run without the lab proves nothing.
 */
export async function requireLab(names?: readonly TreeName[]): Promise<string | false> {
  const reason = await labUnavailable({ onProgress: teller() }, names);
  if (reason === undefined) return false;
  if (process.env['CI'] || process.env['STAR64_REQUIRE_LAB'])
    throw new Error(`the lab is required: ${reason}`);
  return `skipped: ${reason}`;
}

/** Says what a first run waits for; nothing where everything is in the cache. */
function teller(): (progress: Progress) => void {
  const does = {
    waiting: 'is fetched by another run',
    index: 'is looked for',
    download: 'is fetched',
    unpack: 'is unpacked',
  };
  let said = '';
  return ({ tree, step }) => {
    const text = `# Debian's packages for ${tree}: what is missing in ${cacheDirectory()} ${does[step]}, this once\n`;
    if (text !== said) process.stderr.write(text);
    said = text;
  };
}
