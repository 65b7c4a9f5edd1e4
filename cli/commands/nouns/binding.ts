import type { Command } from 'commander';
import { binding } from '../../../domain/provisioning/nouns/binding.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 binding …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    binding,
    async () => (await import('../../../domain/provisioning/features/binding.js')).bindings,
  );
}
