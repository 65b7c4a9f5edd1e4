import type { Command } from 'commander';
import { pauseReason } from '../../../domain/provisioning/nouns/pause-reason.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 pause-reason …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    pauseReason,
    async () => (await import('../../../domain/provisioning/people/pause-reason.js')).pauseReasons,
  );
}
