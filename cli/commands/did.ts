import type { Command } from 'commander';
import { did } from '../../domain/provisioning/nouns/did.js';
import type { Context } from '../context.js';
import { registerNoun } from './noun.js';

/** `star64 did …` */
export function register(program: Command, context: Context): void {
  registerNoun(program, context, did, async () => (await import('../../domain/provisioning/did.js')).dids);
}
