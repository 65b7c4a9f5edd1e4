import type { Logger } from 'pino';
import {
  claimCallCommand,
  finishCallCommand,
  noteManagerLacks,
  sweepCallCommands,
  type CallCommandResult,
  type ClaimedCommand,
} from '../../../domain/calls/commands/call-commands.js';
import type { Database } from '../../../domain/database/pool.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import type { ManagerActions } from '../../ami/manager.js';
import type { Outbound } from '../../../domain/calls/outbound/outbound-memory.js';
import { CallHands, lackedClasses } from '../../call-hands.js';
import type { Later } from '../../click.js';
import { Refused } from '../../refused.js';
import { Loop } from './loop.js';

export interface CallCommandsSettings {
  /** How often is looked for commands of which no notification came, which only shortens the wait. */
  everyMs: number;
  /** How many are carried out at a time: one that Asterisk is slow with keeps no other waiting. */
  atOnce: number;
  sweepMs: number;
}

export const callCommandsDefaults: CallCommandsSettings = { everyMs: 1000, atOnce: 20, sweepMs: 60_000 };

/**
 * Carries out what somebody outside a call wants done in it (`star64 call hangup` and so on). Only the server that leads
 * the node claims a command, and each is claimed once.
 */
export class CallCommands extends Loop {
  readonly #running: Set<Promise<void>>;
  /** What is looked at behind commands that are carried out: it keeps no other waiting. */
  readonly #later: Set<Promise<void>>;

  constructor(
    db: Database,
    node: string,
    holder: string,
    manager: ManagerActions,
    leading: () => boolean,
    log: Logger,
    settings: CallCommandsSettings = callCommandsDefaults,
    outbound?: Outbound,
  ) {
    const running = new Set<Promise<void>>();
    const afterwards = new Set<Promise<void>>();
    const hands = new CallHands(db, node, manager, outbound);
    let sweepAt = 0;
    const unseen = new LastingFault(log, {
      fault: 'commands to calls are not carried out',
      over: 'commands to calls are carried out again',
    });
    super(async () => {
      try {
        // Of a leader that has no Asterisk nothing is claimed: a command expires, and who gave it is told.
        if (!leading() || !manager.connected) return settings.everyMs;
        if (performance.now() >= sweepAt) {
          await sweepCallCommands(db, node, sweepAt === 0 ? holder : '');
          sweepAt = performance.now() + settings.sweepMs;
          const lacks = await lackedClasses(manager).catch((error: unknown) => {
            log.debug({ err: error }, 'what the manager user may do is not known');
          });
          if (lacks) await noteManagerLacks(db, node, lacks);
        }
        while (running.size < settings.atOnce) {
          const command = await claimCallCommand(db, node, holder);
          if (!command) break;
          const later: Later = (look) => {
            const done = look()
              .catch((error: unknown) => {
                log.warn(
                  { command: command.id, err: error },
                  'what became of a command to a call is not known',
                );
              })
              .finally(() => afterwards.delete(done));
            afterwards.add(done);
          };
          const work = carryOut(db, hands, command, log, later).finally(() => {
            running.delete(work);
            if (running.size === settings.atOnce - 1) this.poke();
          });
          running.add(work);
        }
        unseen.over();
      } catch (error) {
        unseen.met((error as Error).message);
      }
      return settings.everyMs;
    });
    this.#running = running;
    this.#later = afterwards;
  }

  /** Resolves when what was claimed is carried out, too. */
  override async stop(): Promise<void> {
    await super.stop();
    await Promise.all(this.#running);
    await Promise.all(this.#later);
  }
}

async function carryOut(
  db: Database,
  hands: CallHands,
  command: ClaimedCommand,
  log: Logger,
  later: Later,
): Promise<void> {
  const { id, team, call, kind } = command;
  let became: CallCommandResult = { result: 'done', reason: null };
  try {
    await hands.do(command, later);
  } catch (error) {
    // An answer that did not come in time says nothing of what Asterisk did.
    became =
      error instanceof Refused
        ? { result: 'refused', reason: error.message, code: error.code, facts: error.facts }
        : { result: 'unknown', reason: (error as Error).message };
  }
  try {
    await finishCallCommand(db, id, became);
    log.info({ team, call, kind, ...became }, 'a command to a call');
  } catch (error) {
    log.warn({ team, call, kind, err: error }, 'what became of a command to a call could not be written');
  }
}
