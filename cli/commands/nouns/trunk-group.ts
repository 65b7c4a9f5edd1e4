import type { Command } from 'commander';
import { trunkGroup } from '../../../domain/provisioning/nouns/trunk-group.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 trunk-group …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    trunkGroup,
    async () => (await import('../../../domain/provisioning/numbers/trunk-group.js')).trunkGroups,
  );
}
