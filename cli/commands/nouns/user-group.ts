import type { Command } from 'commander';
import { userGroup } from '../../../domain/provisioning/nouns/user-group.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 user-group …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    userGroup,
    async () => (await import('../../../domain/provisioning/people/user-group.js')).userGroups,
  );
}
