import { checkPassword, checkPin } from '../../password.js';
import {
  choice,
  computed,
  describe,
  hashed,
  name,
  numberByName,
  reference,
  references,
} from '../fields/description.js';

/** How an agent comes by their phone (spec 20-22). */
export const agentKinds = ['fixed', 'adaptive', 'dynamic'] as const;
export type AgentKind = (typeof agentKinds)[number];

/** Who takes queue calls. */
export const agent = describe({
  noun: 'agent',
  table: 'agents',
  // Those who are fixed.
  inFiles: true,
  title: 'agents: who takes the calls of the queues',
  verbs: {
    add: 'create an agent',
    list: 'list the agents of the team, and where they are signed in',
    show: 'show an agent',
    set: 'change an agent',
    remove: 'remove an agent who is signed out; the record of their states and calls stays',
  },
  key: 'number',
  owner: 'team',
  outlived: true,
  order: 'length(o.number), o.number',
  fields: {
    number: name('agent', { help: 'what they key in after *64, for example 1001' }),
    user: reference({ to: 'user' }, { placeholder: 'username', help: 'who it is', required: true }),
    name: computed<string>('(select u.name from users u where u.id = o.user_id)', {
      help: "the person's name",
    }),
    kind: choice(agentKinds, {
      what: 'kind of agent',
      help: 'fixed: one extension for ever; adaptive: any free phone; dynamic: the phone at their address',
      unless: 'adaptive',
    }),
    extension: reference(
      { to: 'extension' },
      { placeholder: 'number', help: 'the extension of a fixed agent', maybe: true },
    ),
    groups: references(
      {
        to: 'group',
        through: { table: 'agent_group_members', own: 'agent_id', their: 'group_id', position: 'position' },
        typed: 'all',
        freedBy: '--groups <others>',
      },
      {
        placeholder: 'names',
        help: 'all groups whose calls they take, in their order: support,sales; set replaces those before',
        required: true,
      },
    ),
    penalties: numberByName(
      {
        from: 0,
        to: 1000,
        sql: `(select coalesce(json_object_agg(g.name, m.penalty order by m.position, g.name), '{}')
          from agent_group_members m join agent_groups g on g.id = m.group_id
          where m.agent_id = o.id and m.penalty > 0)`,
      },
      {
        what: 'penalty in group',
        option: 'penalty',
        placeholder: 'group=number',
        help: 'calls of the group go to agents with a lower penalty first; may be repeated',
        unless: '0',
      },
    ),
    pin: hashed((agent, pin) => checkPin('agent', agent, pin), {
      what: 'PIN',
      column: 'pin_hash',
      help: 'read a PIN of 4 to 10 digits from stdin, for teams that ask for it',
      none: 'take the PIN away',
    }),
    password: hashed((agent, password) => checkPassword('agent', agent, password), {
      what: 'password',
      column: 'password_hash',
      help: 'read the password from stdin with which they log in to the HTTP API and its page; no phone asks for it',
      none: 'take the password away: they cannot log in, and are logged out',
      listed: false,
    }),
    signedInAt: computed<string | null>(
      `(select x.number from sign_ins i join extensions x on x.id = i.extension_id
        where i.agent_id = o.id and i.signed_out_at is null)`,
      { help: 'the extension where they are signed in now' },
    ),
  },
});
