import type { Command } from 'commander';
import { featureCode } from '../../../domain/provisioning/nouns/feature-code.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 feature-code …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    featureCode,
    async () => (await import('../../../domain/provisioning/features/feature-code.js')).featureCodes,
  );
}
