import type { Command } from 'commander';
import { trunk } from '../../domain/provisioning/nouns/trunk.js';
import type { Context } from '../context.js';
import { registerNoun } from './noun.js';

/** `star64 trunk …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    trunk,
    async () => (await import('../../domain/provisioning/trunk.js')).trunks,
  );
}
