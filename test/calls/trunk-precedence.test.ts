import t from 'tap';
import { decideOutbound } from '../../domain/calls/outbound/outbound.js';
import { readOutboundTeams } from '../../domain/calls/outbound/outbound-read.js';
import type { Turns } from '../../domain/calls/outbound/ways-out.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { trunkStrategies } from '../../domain/provisioning/nouns/trunk-group.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup, setTrunkGroup } from '../../domain/provisioning/numbers/trunk-group.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { addUserGroup } from '../../domain/provisioning/people/user-group.js';
import { wayPlans } from '../../pbx/files/outside/way-plans.js';
import { readWays } from '../../pbx/files/outside/ways-rows.js';
import { waysModel } from '../../pbx/files/outside/ways.js';
import { freshDatabase } from '../support/database.js';

/**
 * Over which trunks a call goes (spec 12), for every combination of what may decide it, through the database, as the server
 * answers and as the generated files say: user groups of the user with a trunk, a trunk group or neither, in either order
 * of positions and of creation; the default of the team; strategy and rule of the trunk groups.
 */
const { db } = await freshDatabase(t);
const team = 'astercc';
await setTeam(db, team, { country: 'DE', area: '30', outsidePrefix: '0' });
const number = '+49401234567';
/** Each trunk with its form of the number. */
const forms = {
  x: ['e164', '+49401234567'],
  y: ['national', '0401234567'],
  z: ['plain', '49401234567'],
} as const;
type Name = keyof typeof forms;
for (const [name, [numberFormat]] of Object.entries(forms))
  await addTrunk(db, team, { name, endpoint: name, country: 'DE', numberFormat });
const members: Record<string, readonly Name[]> = { own: ['x', 'y', 'z'], default: ['z', 'y', 'x'] };
for (const [name, trunks] of Object.entries(members))
  await addTrunkGroup(db, team, { name, members: [...trunks] });

type Kind = 'none' | 'trunk' | 'group';
const kinds: readonly Kind[] = ['none', 'trunk', 'group'];
/** A user: their groups as they were created, and which of those has the lower position. */
interface User {
  extension: string;
  /** By position. */
  groups: readonly Kind[];
  newest: 'first' | 'last';
}
const users: User[] = [
  [],
  ...kinds.map((one) => [one]),
  ...kinds.flatMap((one) => kinds.map((other) => [one, other])),
].flatMap((groups, index) =>
  (groups.length < 2 ? (['last'] as const) : (['first', 'last'] as const)).map((newest) => ({
    extension: String(5000 + index * 2 + (newest === 'first' ? 1 : 0)),
    groups,
    newest,
  })),
);
let position = 0;
for (const { extension, groups, newest } of users) {
  await addUser(db, team, { username: `u${extension}` });
  await addExtension(db, team, { number: extension, user: `u${extension}` });
  const placed = groups.map((kind, index) => ({ kind, position: ++position, index }));
  for (const { kind, index, ...at } of newest === 'first' ? placed.toReversed() : placed)
    await addUserGroup(db, team, {
      // Named so that the order of names says nothing.
      name: `g${extension}_${(index + Number(extension)) % 2}`,
      users: { add: [`u${extension}`] },
      ...at,
      // Its second trunk is another one than that of the team.
      ...(kind === 'trunk' ? { trunk: index === 0 ? 'y' : 'z' } : {}),
      ...(kind === 'group' ? { trunkGroup: 'own' } : {}),
    });
}

const rules: Record<string, { rule: string; sent?: string; refused?: true }> = {
  none: { rule: '+43 refuse' },
  allow: { rule: '+4940 allow' },
  refuse: { rule: '+4940 refuse', refused: true },
  strip: { rule: '+4940 strip 3', sent: '401234567' },
  add: { rule: '+4940 add 99', sent: `99${number}` },
};
/** Of round robin and random the second is first. */
const turns: Turns = { next: () => 1 };

/** What the specification says: the trunks in their order, each with what it is sent; none: the call is refused. */
function expected(
  { groups }: User,
  standard: Kind,
  strategy: (typeof trunkStrategies)[number],
  rule: string,
): string[] {
  const at = groups.findIndex((kind) => kind !== 'none');
  const kind = at < 0 ? standard : groups[at];
  if (kind === 'trunk') {
    const trunk = at < 0 ? 'x' : at === 0 ? 'y' : 'z';
    return [`${trunk} ${forms[trunk][1]}`];
  }
  const { refused, sent } = rules[rule] ?? {};
  if (kind === 'none' || refused) return [];
  const [first, second, third] = members[at < 0 ? 'default' : 'own'] as [Name, Name, Name];
  const order = strategy === 'priority' ? [first, second, third] : [second, third, first];
  return order.map((trunk) => `${trunk} ${sent ?? forms[trunk][1]}`);
}

for (const standard of kinds)
  for (const strategy of trunkStrategies)
    await t.test(`default of the team: ${standard}, trunk groups: ${strategy}`, async (t) => {
      await setTeam(db, team, {
        trunk: standard === 'trunk' ? 'x' : null,
        trunkGroup: standard === 'group' ? 'default' : null,
      });
      for (const [rule, { rule: text }] of Object.entries(rules)) {
        for (const name of Object.keys(members))
          await setTrunkGroup(db, team, name, { strategy, rules: [text] });
        const [of] = await readOutboundTeams(db, 'default', undefined);
        const rows = (await readWays(db, 'default')).get(team);
        if (!of || !rows) throw new Error('no team');
        const files = waysModel(team, 'never', { rows, plans: await wayPlans(rows) }, () => true);
        for (const user of users) {
          const asked = {
            dialled: '0401234567',
            endpoint: `${team}-${user.extension}`,
            hidden: false,
            instant: 0,
          };
          const decision = decideOutbound(
            of,
            asked,
            { extension: user.extension, user: 'u', agent: null },
            { facts: { did: () => undefined, hours: () => undefined }, turns },
          );
          const steps = decision.go ? decision.steps.map(({ trunk, sent }) => `${trunk.name} ${sent}`) : [];
          const wanted = expected(user, standard, strategy, rule);
          const words = `groups ${user.groups.join(', ') || 'none'}, newest ${user.newest}, rule ${rule}`;
          // After the first of random the others come in any order.
          const inOrder = (all: string[]): string[] =>
            strategy === 'random' ? [...all.slice(0, 1), ...all.slice(1).sort()] : all;
          t.same(inOrder(steps), inOrder(wanted), words);
          if (!decision.go) t.equal(decision.refused, 'no-trunk', words);
          // Nobody takes turns there: the order of the members holds.
          t.same(
            stepsInFiles(files, user.extension),
            expected(user, standard, 'priority', rule),
            `${words}, with no server`,
          );
        }
      }
    });

/** As star64-out-alone reads them. */
function stepsInFiles(files: ReturnType<typeof waysModel>, extension: string): string[] {
  const name = files?.payers.find((payer) => payer.number === extension)?.ways;
  const [longest] = (files?.ways.find((way) => way.name === name)?.beginnings ?? [])
    .filter(({ beginning }) => number.startsWith(beginning))
    .sort((a, b) => b.beginning.length - a.beginning.length);
  return (longest?.steps ?? []).map(
    ({ endpoint, added, strip }) => `${endpoint} ${added}${number.slice(Number(strip))}`,
  );
}
