import type { PoolOptions } from '../domain/database/pool.js';

/**
 * For connections that only prepare what is tried, or look at what came of it: a machine may be busy for longer than a
 * server of star64 may wait for PostgreSQL, and what was tried is not at fault then.
 */
export const patient = { deadlineMs: 60_000, idleMs: 60_000, dialMs: 20_000 } satisfies PoolOptions;
