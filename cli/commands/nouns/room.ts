import type { Command } from 'commander';
import { room } from '../../../domain/provisioning/nouns/room.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 room …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    room,
    async () => (await import('../../../domain/provisioning/features/room.js')).rooms,
  );
}
