import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { chromium, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { browser, installedBrowser } from '../../../lab/browser.js';
import { requireLab } from '../lab.js';

export type { Page } from 'playwright-core';

/** Ends the test file as skipped, with the reason, where the browser cannot be had; see `requireLab`. */
export async function needBrowser(t: Test): Promise<void> {
  if (await installedBrowser()) return;
  const skipped = await requireLab(['browser']);
  if (skipped === false) return;
  t.plan(0, skipped);
  process.exit(0);
}

/** A browser for a test file, closed with it: each context is somebody of their own. */
export async function openBrowser(t: Test) {
  const { command, args, env, remove } = await browser();
  const running = await chromium.launch({
    executablePath: command,
    args,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    chromiumSandbox: false,
  });
  t.teardown(async () => {
    await running.close();
    await remove();
  });
  return async (options: BrowserContextOptions = {}): Promise<{ page: Page; context: BrowserContext }> => {
    const context = await running.newContext({ locale: 'en', ...options });
    // Pages follow events, which other tests on the same PostgreSQL can hold back.
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    return { page, context };
  };
}

const require = createRequire(import.meta.url);
let axe: string | undefined;

/** What axe finds fault with on a page as it is now, by all its rules or these: rule and where, a line each. */
export async function faultsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  axe ??= await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
  // By the protocol of the debugger, which the policy of the page does not concern.
  await page.evaluate(axe);
  return page.evaluate(`axe.run(document, ${JSON.stringify({ resultTypes: ['violations'], ...(rules && { runOnly: rules }) })}).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
      id + ' ' + target.join(' ') + ': ' + failureSummary.replace(/\\s+/g, ' '))))`);
}
