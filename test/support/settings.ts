import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { loadSettings, type FlagSetting, type Settings } from '../../cli/settings.js';
import { Star64Error } from '../../domain/errors.js';

/** Loads settings as a user would have them, from a directory of their own. */
export function load(
  t: Test,
  given: {
    file?: string;
    env?: Record<string, string>;
    flags?: FlagSetting[];
    mode?: number;
    root?: boolean;
    config?: string;
    system?: string;
  } = {},
): { settings: Promise<Settings>; warnings: string[]; cwd: string } {
  const cwd = t.testdir();
  if (given.file !== undefined) {
    writeFileSync(join(cwd, 'star64.yml'), given.file);
    chmodSync(join(cwd, 'star64.yml'), given.mode ?? 0o600);
  }
  const warnings: string[] = [];
  const settings = loadSettings({
    env: { HOME: '/home/anna', ...given.env },
    cwd,
    systemConfig: given.system ?? join(cwd, 'etc', 'star64.yml'),
    config: given.config,
    flags: given.flags ?? [],
    root: given.root ?? false,
    warn: (text) => warnings.push(text),
  });
  return { settings, warnings, cwd };
}

/** What is wrong with the settings, line by line; none: nothing. */
export async function mistakes(settings: Promise<Settings>): Promise<string[]> {
  try {
    await settings;
  } catch (error) {
    if (error instanceof Star64Error && error.kind === 'usage') return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}
