#!/usr/bin/env node
import { run } from './program.js';

// Whoever reads our output may stop early (`star64 user list | head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const status = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  systemConfig: '/etc/star64/star64.yml',
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  terminal: process.stdout.isTTY,
  readInput: async () => {
    const { text } = await import('node:stream/consumers');
    return text(process.stdin);
  },
  now: () => new Date(),
});

process.exitCode = status;
// Interrupted: whatever is still going on, a download for example, is not waited for.
if (status === 130) process.exit();
