import type { Command } from 'commander';
import { extension } from '../../domain/provisioning/nouns/extension.js';
import type { Context } from '../context.js';
import { registerNoun } from './noun.js';

/** `star64 extension …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    extension,
    async () => (await import('../../domain/provisioning/extension.js')).extensions,
  );
}
