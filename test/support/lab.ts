import { labUnavailable, type TreeName } from '../../lab/debian.js';

/**
 * For a test that needs programs of the lab, by default the private Asterisk and the phones: resolves to false when it
 * can run (the trees are in the cache then), else to the text for tap's `skip`. Where the lab must be had, in CI or with STAR64_REQUIRE_LAB set, a
 * reason to skip is an error: a green run without the lab proves nothing.
 */
export async function requireLab(names?: readonly TreeName[]): Promise<string | false> {
  const reason = await labUnavailable({}, names);
  if (reason === undefined) return false;
  if (process.env['CI'] || process.env['STAR64_REQUIRE_LAB'])
    throw new Error(`the lab is required: ${reason}`);
  return `skipped: ${reason}`;
}
