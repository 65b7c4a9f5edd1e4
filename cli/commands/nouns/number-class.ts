import type { Command } from 'commander';
import { numberClass } from '../../../domain/provisioning/nouns/number-class.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 number-class …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    numberClass,
    async () => (await import('../../../domain/provisioning/numbers/number-class.js')).numberClassesOf,
  );
}
