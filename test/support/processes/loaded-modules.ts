import { appendFileSync } from 'node:fs';
import { register, type LoadHook } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * Put before a program with `--import`, it writes the URL of every module that the program loads to the file that
 * STAR64_TEST_LOADED names, one a line. Node runs hooks in a thread of their own, which loads this file again.
 */
if (isMainThread) register(import.meta.url);

export const load: LoadHook = (url, context, next) => {
  appendFileSync(process.env['STAR64_TEST_LOADED'] ?? '/dev/null', `${url}\n`);
  return next(url, context);
};
