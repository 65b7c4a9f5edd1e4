import type { Command } from 'commander';
import { ringGroup } from '../../../domain/provisioning/nouns/ring-group.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 ring-group …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    ringGroup,
    async () => (await import('../../../domain/provisioning/features/ring-group.js')).ringGroups,
  );
}
