import type { Command } from 'commander';
import { callKey } from '../../../domain/provisioning/nouns/call-key.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 call-key …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    callKey,
    async () => (await import('../../../domain/provisioning/features/call-key.js')).callKeys,
  );
}
