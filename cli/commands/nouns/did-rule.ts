import type { Command } from 'commander';
import { didRule } from '../../../domain/provisioning/nouns/did-rule.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 did-rule …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    didRule,
    async () => (await import('../../../domain/provisioning/numbers/did-rule.js')).didRules,
  );
}
