import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../domain/database/pool.js';
import { isUnreachable } from '../../domain/database/sql-errors.js';
import { Star64Error } from '../../domain/errors.js';
import { isGenerationOf } from '../../domain/provisioning/generations.js';
import { countStart, readNode } from '../../domain/provisioning/node.js';
import { AmiError } from '../ami/errors.js';
import type { Manager, ManagerActions } from '../ami/manager.js';
import type { AmiMessage } from '../ami/message.js';
import type { ManagerEvents, UpInfo } from '../ami/settings.js';
import { loadedGeneration } from '../loaded-dialplan.js';
import { leaseVariable } from '../queue/names.js';
import { readEpoch } from '../queue/status.js';
import { judgeClaim, liveElsewhere, readClaim, unknownGeneration, writeClaim, type Claim } from './claim.js';

export interface OwnershipSettings {
  node: string;
  /** This database is to have the Asterisk from now on, whatever that says. */
  takeOver: boolean;
  /** How long the first connection to Asterisk is waited for before calls are answered without having asked it. */
  patienceMs: number;
  /** How long a server that was taken over from is given to notice it, which it does each second. */
  handOverMs: number;
  /** After a look at the database or Asterisk that failed. */
  againMs: number;
}

export const ownershipDefaults = { patienceMs: 2000, handOverMs: 2500, againMs: 1000 };

/** How long a leader of our own database is given to show that it lives: longer than its lease lasts. */
const leaderShowsMs = 6000;
const leaderLookMs = 250;

type Connection = ManagerActions & Pick<Manager, 'whenUp'> & Pick<EventEmitter<ManagerEvents>, 'on'>;

/**
 * Asterisk's manager, for a server that changes something there only if the Asterisk belongs to its database. A restored
 * backup has the same names and the same secrets, and nobody signed in: its server would empty the queues of the original.
 * Database and Asterisk both have the installation's id and a count of the starts of its servers, and the leader's promise
 * to Asterisk is noted in the database first; a database that is behind in either is a copy.
 *
 * Until that is known, after each connection anew, actions that change something wait or are refused, and `up` is not
 * told. Once another database has the Asterisk they stay refused, and `lost` resolves.
 */
export class OwnAsterisk extends EventEmitter<ManagerEvents> implements ManagerActions {
  /** Resolves with what to tell the operator when this server has to end. */
  readonly lost: Promise<Star64Error>;
  #lose: (error: Star64Error) => void = () => undefined;
  #error: Star64Error | undefined;
  #ours = false;
  #begun = false;
  readonly #stopping = new AbortController();
  /** Counts connections. */
  #connections = 0;
  /** The count of this start, once it is counted. */
  #start: number | undefined;
  /** Asterisk has had our claim. */
  #settled = false;
  /** The last claim that was found right. */
  #seen: Claim | undefined;
  /** The look at whose it is that is under way. */
  #entering: Promise<void> | undefined;

  constructor(
    private readonly db: Database,
    private readonly manager: Connection,
    private readonly settings: OwnershipSettings,
    private readonly log: Logger,
  ) {
    super();
    this.lost = new Promise((resolve) => (this.#lose = resolve));
    manager.on('event', (event: AmiMessage) => void this.emit('event', event));
    manager.on('down', (reason) => {
      this.#ours = false;
      this.emit('down', reason);
    });
    manager.on('up', (info) => {
      this.#connections++;
      this.#ours = false;
      if (this.#begun) void this.#enter(info);
    });
  }

  /** Whether an action that changes something would be sent. */
  get connected(): boolean {
    return this.#ours && this.manager.connected;
  }

  /**
   * Looks whose Asterisk it is, and changes nothing. One that cannot be reached is looked at when it can be.
   * @throws `conflict` when it is not ours.
   */
  async look(): Promise<void> {
    try {
      await this.manager.whenUp(this.settings.patienceMs);
      await this.#judge(await readClaim(this.manager));
    } catch (error) {
      if (error instanceof Star64Error && !(error instanceof AmiError)) throw error;
      this.log.info(
        { reason: (error as Error).message },
        'whose Asterisk it is will be known once it answers',
      );
    }
  }

  /**
   * Counts this start, in the database and in Asterisk, and lets actions through from now on; later, if Asterisk cannot
   * be reached. @throws `conflict` when it is not ours.
   */
  async claim(): Promise<void> {
    this.#begun = true;
    if (!this.manager.connected) return;
    await this.#enter(await this.manager.whenUp(this.settings.patienceMs));
    if (this.#error) throw this.#error;
  }

  /**
   * Makes sure that the Asterisk is still ours; the database is asked only when the claim has changed.
   * @throws when it is another's, or that cannot be known.
   */
  async verify(): Promise<void> {
    if (!this.connected) return;
    try {
      const claim = await readClaim(this.manager);
      if (claim === undefined) await this.#take(claim);
      else if (!same(claim, this.#seen)) await this.#judge(claim);
    } catch (error) {
      this.#end(error);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#ours = false;
    await this.#entering;
  }

  readonly action: ManagerActions['action'] = async (name, headers, options) => {
    if (name !== 'Getvar') {
      if (!this.#ours) await this.#entering;
      if (!this.#ours) throw new AmiError('down', `${name}: it is not known whether this Asterisk is ours`);
    }
    return this.manager.action(name, headers, options);
  };

  readonly list: ManagerActions['list'] = (name, headers, options) =>
    this.manager.list(name, headers, options);

  #enter(info: UpInfo): Promise<void> {
    this.#entering ??= this.#come(info).finally(() => (this.#entering = undefined));
    return this.#entering;
  }

  /** Claims the Asterisk, or finds that it is another's. Never throws. */
  async #come(info: UpInfo): Promise<void> {
    while (this.manager.connected && !this.#stopping.signal.aborted && !this.#error) {
      const connection = this.#connections;
      try {
        const claim = await readClaim(this.manager);
        await this.#judge(claim);
        await this.#take(claim);
        if (connection !== this.#connections) continue;
        this.#ours = this.manager.connected;
        this.emit('up', info);
        return;
      } catch (error) {
        if (this.#end(error)) return;
        this.log.warn(
          { reason: (error as Error).message },
          'whose Asterisk it is could not be seen: trying again',
        );
        await this.#pause(this.settings.againMs);
      }
    }
  }

  /** Writes our claim, if that is not what is there. The first time it counts this start. */
  async #take(claim: Claim | undefined): Promise<void> {
    const { node, takeOver, handOverMs } = this.settings;
    const { installation } = await readNode(this.db, node);
    const before = claim?.installation === installation ? claim.starts : 0;
    this.#start ??= await countStart(this.db, node, takeOver ? before : 0);
    const ours = { installation, starts: Math.max(this.#start, before), node };
    if (!same(claim, ours)) await writeClaim(this.manager, ours);
    this.#seen = ours;
    const takenOver = takeOver && !this.#settled;
    this.#settled = true;
    if (!takenOver) return;
    this.log.warn({ ...ours, before: claim }, 'this Asterisk was taken over');
    await this.#pause(handOverMs);
  }

  /** @throws `conflict` when the Asterisk is not this database's. */
  async #judge(claim: Claim | undefined): Promise<void> {
    const { node, takeOver } = this.settings;
    if (takeOver && !this.#settled) return;
    if (claim) {
      // Asterisk was read first, and servers write the database first: a count that is higher there is none of ours.
      judgeClaim(claim, await readNode(this.db, node), node);
      this.#seen = claim;
    } else {
      const loaded = await loadedGeneration(this.manager);
      if (loaded !== undefined && !(await isGenerationOf(this.db, node, loaded)))
        throw unknownGeneration(loaded, (await readNode(this.db, node)).installation);
    }
    // A server that works with it already has shown that its database is no copy.
    if (!this.#settled) await this.#judgePromise();
  }

  /** A promise to Asterisk that is kept, and that this database has not noted, is another database's. */
  async #judgePromise(): Promise<void> {
    const until = performance.now() + leaderShowsMs;
    let leader: string | null | undefined;
    for (;;) {
      const promise = Number(
        (await this.manager.action('Getvar', { Variable: leaseVariable })).headers.get('value'),
      );
      if (!(promise >= (await readEpoch(this.manager)))) return;
      const { installation, starts, promisedUntil, leaderUntil } = await readNode(
        this.db,
        this.settings.node,
      );
      if (promisedUntil === null || promise <= promisedUntil) return;
      // A server of before this version leads, and notes nothing.
      if (leader !== undefined && leaderUntil !== null && leaderUntil !== leader) return;
      if (leaderUntil === null || performance.now() > until) throw liveElsewhere(installation, starts);
      leader ??= leaderUntil;
      await this.#pause(leaderLookMs);
      if (this.#stopping.signal.aborted) throw new AmiError('down', 'stopped');
    }
  }

  /** Only stop() ends it early. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** Whether this error is the end: it is kept, and told once. One that may pass is not. */
  #end(error: unknown): boolean {
    if (this.#error) return true;
    if (!(error instanceof Star64Error) || error instanceof AmiError || isUnreachable(error)) return false;
    this.#error = error;
    this.#ours = false;
    this.log.fatal({ code: error.code, reason: error.message }, 'nothing more is changed in this Asterisk');
    this.#lose(error);
    return true;
  }
}

const same = (one: Claim | undefined, other: Claim | undefined): boolean =>
  one?.installation === other?.installation && one?.starts === other?.starts && one?.node === other?.node;
