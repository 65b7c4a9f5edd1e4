import { fail, Star64Error, type Remedy } from '../../domain/errors.js';
import type { NodeRecord } from '../../domain/provisioning/node.js';
import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';

/** What an Asterisk says about whose it is. */
export interface Claim {
  /** Id of the installation whose servers work with it. */
  installation: string;
  /** How often they were started. */
  starts: number;
  /** The name that they have for it. */
  node: string;
}

/**
 * The claim stands in astdb, which outlives a reload, clearglobalvars and a restart, as the message of a presence of our
 * own: of the functions that write there this is the only one with room for text which a manager without the class
 * "system" may use.
 */
const presence = 'CustomPresence:star64';

/** Reads the claim; undefined: nobody has claimed this Asterisk. @throws AmiError; `failure` for one that is none of ours. */
export async function readClaim(manager: ManagerActions): Promise<Claim | undefined> {
  const { headers } = await manager.action('Getvar', { Variable: `PRESENCE_STATE(${presence},message)` });
  const text = headers.get('value') ?? '';
  if (text === '') return undefined;
  const [, installation, starts, node] =
    /^([0-9a-f-]{36}) ([0-9]{1,15}) ([A-Za-z0-9-]{1,40})$/.exec(text) ?? [];
  if (installation === undefined || starts === undefined || node === undefined)
    throw new Star64Error(
      'failure',
      'Asterisk has an entry CustomPresence/star64 in its database that star64 has not written: remove it in its console with `database del CustomPresence star64`.',
    );
  return { installation, starts: Number(starts), node };
}

/** Writes the claim over what is there. @throws AmiError; `failure` when Asterisk cannot keep it. */
export async function writeClaim(manager: ManagerActions, claim: Claim): Promise<void> {
  const { installation, starts, node } = claim;
  try {
    await manager.action('Setvar', {
      Variable: `PRESENCE_STATE(${presence})`,
      Value: `not_set,installation,${installation} ${starts} ${node}`,
    });
  } catch (error) {
    if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
    throw new Star64Error(
      'failure',
      `Asterisk cannot keep which installation it works for (${error.message}): it needs func_presencestate.so, and our manager user write class call.`,
      { cause: error },
    );
  }
}

/** Takes the claim away. */
export async function removeClaim(manager: ManagerActions): Promise<void> {
  await manager.action('Setvar', { Variable: 'DB_DELETE(CustomPresence/star64)', Value: '' });
}

const takeOver: Remedy = {
  text: 'nothing was changed there. Let the settings name the database and the Asterisk that belong together; or, if this database is to have this Asterisk from now on, settle it once with {0}',
  steps: [{ noun: 'serve', verb: '--take-over' }],
};

/** Whether a claim lets the servers of this database work with the Asterisk. @throws `conflict` if not. */
export function judgeClaim(
  claim: Claim,
  ours: Pick<NodeRecord, 'installation' | 'starts'>,
  node: string,
): void {
  const facts = {
    asterisk_installation: claim.installation,
    asterisk_starts: claim.starts,
    asterisk_node: claim.node,
    installation: ours.installation,
    starts: ours.starts,
    node,
  };
  if (claim.installation !== ours.installation) {
    throw fail('foreign_asterisk', {
      facts,
      says: `this Asterisk works for another installation of star64: it says ${claim.installation} (start ${claim.starts}), and this database is ${ours.installation} (start ${ours.starts})`,
      remedy: takeOver,
    });
  }
  if (claim.node !== node) {
    throw fail('foreign_asterisk', {
      facts,
      says: `this Asterisk is the node ${claim.node} of this installation, and asterisk.node says ${node}`,
      remedy: takeOver,
    });
  }
  if (claim.starts <= ours.starts) return;
  throw fail('older_copy', {
    facts,
    says: `this database is an older copy of the one that this Asterisk works with: servers of the installation ${ours.installation} were started ${claim.starts} times by Asterisk's count, and ${ours.starts} times by this database's`,
    remedy: takeOver,
  });
}

/** The error when another server keeps its promise to Asterisk, and this database does not know it. */
export function liveElsewhere(installation: string, starts: number): Star64Error {
  return fail('older_copy', {
    facts: { installation, starts },
    says: `a server that this database knows nothing of is at work with this Asterisk: the database (installation ${installation}, start ${starts}) is a copy of the one that it works with`,
    remedy: takeOver,
  });
}

/** The error when Asterisk says nothing of whose it is, and has loaded files that this database has not made. */
export function unknownGeneration(loaded: string, installation: string): Star64Error {
  return fail('foreign_asterisk', {
    facts: { generation: loaded, installation },
    says: `this Asterisk has loaded the generation ${loaded} of star64's files, which was not made from this database (installation ${installation})`,
    remedy: {
      text: 'nothing was changed there. After an update run `star64 apply` first; if this database is to have this Asterisk from now on, settle it once with {0}',
      steps: [{ noun: 'serve', verb: '--take-over' }],
    },
  });
}
