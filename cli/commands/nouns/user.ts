import type { Command } from 'commander';
import { user } from '../../../domain/provisioning/nouns/user.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 user …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    user,
    async () => (await import('../../../domain/provisioning/people/user.js')).users,
  );
}
