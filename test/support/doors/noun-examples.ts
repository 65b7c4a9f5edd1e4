/** Of each noun one thing that can be made, what can be set of it, and what it is called. */
export const examples: Record<string, { name: string; add?: object; set: object; shows?: object }> = {
  team: { name: 'astercc', set: { time_zone: 'Europe/Berlin' } },
  user: { name: 'berta', add: { username: 'berta', password: 'correct horse 1' }, set: { name: 'Berta Öz' } },
  extension: { name: '5900', add: { number: '5900', user: 'berta' }, set: { location: 'hall' } },
  agent: {
    name: '1900',
    add: { number: '1900', user: 'berta', groups: ['support'] },
    set: { pin: '4711' },
    shows: { pin: true },
  },
  group: { name: 'sales', add: { name: 'sales' }, set: { ring_seconds: 20, administrators: ['berta'] } },
  did: {
    name: '+4930700100',
    add: { number: '+4930700100', to: 'group:support' },
    set: { to: 'extension:5900' },
  },
  'did-rule': { name: 'vip', add: { name: 'vip', to: 'group:support' }, set: { queue_priority: 5 } },
  binding: {
    name: 'crm',
    add: { name: 'crm', application: 'campaign' },
    set: { link: 'https://crm.example/?n={caller}' },
  },
  hours: {
    name: 'office',
    add: { name: 'office', week: ['mon-fri 09:00-17:00'] },
    set: { closed_on: ['12-25'] },
  },
  'ring-group': {
    name: '7900',
    add: { number: '7900', members: ['5900'] },
    set: { members: ['5900', 'agent:1900'] },
    shows: { members: ['extension:5900', 'agent:1900'] },
  },
  announcement: { name: 'closed', add: { name: 'closed', sound: 'custom/closed' }, set: { times: 2 } },
  menu: {
    name: 'welcome',
    add: { name: 'welcome', sound: 'custom/welcome', key1: 'group:support' },
    set: { key2: 'extension:5900' },
  },
  room: { name: '890', add: { number: '890' }, set: { most: 5 } },
  trunk: { name: 'provider', add: { name: 'provider', addresses: ['192.0.2.7'] }, set: { country: 'DE' } },
  'trunk-group': { name: 'ways', add: { name: 'ways', members: ['provider'] }, set: { strategy: 'random' } },
  'user-group': {
    name: 'callers',
    add: { name: 'callers', users: ['berta'] },
    set: { users: { remove: ['berta'] }, may_call: ['national'] },
    shows: { users: [], may_call: ['national'] },
  },
  'number-class': {
    name: '+49180',
    add: { beginning: '+49180', class: 'premium' },
    set: { class: 'national' },
  },
  'feature-code': { name: '*164', add: { code: '*164', feature: 'sign-in' }, set: { feature: 'sign-out' } },
  'call-key': { name: 'swap', set: { enabled: false } },
  'pause-reason': { name: '9', add: { digit: '9', name: 'Lunch' }, set: { max_seconds: 60 } },
};
