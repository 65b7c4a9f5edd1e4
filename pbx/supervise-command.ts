import type { ClaimedCommand } from '../domain/calls/commands/call-commands.js';
import { administeredAmong, phoneOfExtension } from '../domain/calls/commands/supervise-command.js';
import { administersAny } from '../domain/presence/group-administrator.js';
import type { Database } from '../domain/database/pool.js';
import { AmiError } from './ami/errors.js';
import type { ManagerActions } from './ami/manager.js';
import type { Clicks } from './click.js';
import { deviceOf, queueOf } from './queue/names.js';
import { phonesAt } from './queue/phones.js';
import { Refused } from './refused.js';

const deviceOfChannel = (name: string): string => name.replace(/-[0-9a-f]+(?:;[12])?$/, '');

/**
 * Rings an administrator's phone for a call that is of a group of theirs. Whose call it is says SPYGROUP, which the dialplan has
 * set on the channel of the agent's phone; star64-supervise asks for the right once more, and records it, when they pick up.
 *
 * @throws Refused; AmiError when Asterisk says nothing.
 */
export async function superviseByCommand(
  db: Database,
  manager: ManagerActions,
  clicks: Clicks,
  node: string,
  { id, team, call, arguments: given }: ClaimedCommand,
): Promise<void> {
  const { mode = '', from = '' } = given;
  const supervisor = await phoneOfExtension(db, team, from);
  if (!supervisor) throw new Refused(`there is no extension ${from}`, 'unknown');
  if (!(await administersAny(db, team, supervisor.userId)))
    throw new Refused(`the user of extension ${from} administers no group`, 'not_administrator');
  const channels = (await manager.list('CoreShowChannels')).flatMap(({ headers }) => {
    const name = headers.get('channel') ?? '';
    return headers.get('channelstatedesc') !== 'Up' || name.endsWith(';2')
      ? []
      : [{ name, linkedid: headers.get('linkedid') ?? '' }];
  });
  const asked =
    given['extension'] === undefined ? undefined : await phoneOfExtension(db, team, given['extension']);
  const device = asked && deviceOf(asked);
  const there = channels.filter(
    ({ name, linkedid }) =>
      (device === undefined || deviceOfChannel(name) === device) && (call === null || linkedid === call),
  );
  const phones = await phonesAt(
    db,
    node,
    there.map(({ name }) => deviceOfChannel(name)),
  );
  const heard: { extension: string; queue: string }[] = [];
  for (const { name } of there) {
    const extension = asked?.extension ?? ofTeam(phones.get(deviceOfChannel(name)), team);
    const queue = await groupOf(manager, name);
    if (extension !== undefined && queue !== '' && extension !== from) heard.push({ extension, queue });
  }
  if (heard.length === 0) throw new Refused('no call of a group goes on there', 'nothing_to_hear');
  const limits = given['groups'] === undefined ? undefined : queuesOf(team, given['groups']);
  const own = new Set(
    await administeredAmong(
      db,
      team,
      supervisor.userId,
      heard.map(({ queue }) => queue).filter((queue) => limits?.has(queue) ?? true),
    ),
  );
  const found = heard.find(({ queue }) => own.has(queue));
  if (!found)
    throw new Refused(
      `the user of extension ${from} does not administer the group whose call it is`,
      'not_administrator',
    );
  await clicks.ringFree(supervisor, `star64-supervise-${id}`, 'supervise', {
    CallerID: `"${mode}" <${found.extension}>`,
    Variable: {
      STAR64_CLICK_TEAM: team,
      STAR64_CLICK_FROM: from,
      STAR64_CLICK_MODE: mode,
      STAR64_CLICK_TO: found.extension,
    },
  });
}

/** The queues of groups that are named with a space between them. */
const queuesOf = (team: string, groups: string): Set<string> =>
  new Set(groups.split(' ').map((group) => queueOf(team, group)));

const ofTeam = (phone: { team: string; extension: string } | undefined, team: string): string | undefined =>
  phone?.team === team ? phone.extension : undefined;

/** The queue whose call a channel has; empty: none, or the channel is gone. */
async function groupOf(manager: ManagerActions, Channel: string): Promise<string> {
  try {
    return (await manager.action('Getvar', { Channel, Variable: 'SPYGROUP' })).headers.get('value') ?? '';
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected') return '';
    throw error;
  }
}
