/**
 * The borders between the rooms, and no circles. Imports point one way:
 * domain (errors, names, password, machine) < domain/database < presence < provisioning < calls < popups < monitor < webhooks < agi | pbx | web < cli.
 */
const above = (room, ...rooms) => ({
  name: `${room.replaceAll('/', '-')}-looks-down-only`,
  comment: `${room} must not import what stands above it: pass in what it needs, or move the code to where it belongs.`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: rooms.map((one) => `^${one}/`) },
});
const doors = ['agi', 'pbx', 'web', 'cli', 'lab', 'test'];
const only = (name, library, path) => ({
  name,
  comment: `${library} is known in one place, ${path}: everything else goes through what that place offers.`,
  severity: 'error',
  from: { pathNot: [`^${path}`, '^test/'] },
  to: { path: `node_modules/${library}/` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Two files that import each other are one file, or a third one is missing between them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'the-ground-floor-imports-no-room',
      comment: 'domain/*.ts and domain/machine are what every room may use, so they know none of the rooms.',
      severity: 'error',
      from: { path: '^domain/([^/]+|machine/.*)$' },
      to: {
        path: '^(domain/(database|presence|provisioning|calls|popups|monitor)|agi|pbx|web|cli|lab|test|migrations)/',
      },
    },
    above('domain/database', 'domain/(presence|provisioning|calls|popups|monitor)', ...doors),
    above('domain/presence', 'domain/(provisioning|calls|popups|monitor)', ...doors),
    above('domain/provisioning', 'domain/(calls|popups|monitor)', ...doors),
    above('domain/calls', 'domain/(popups|monitor)', ...doors),
    above('domain/popups', 'domain/monitor', ...doors),
    above('domain/monitor', ...doors),
    {
      name: 'webhooks-stand-above-the-rooms-of-the-domain',
      comment: 'domain/webhooks sends on what the other rooms tell: none of them knows of it.',
      severity: 'error',
      from: { path: '^domain/(?!webhooks/)' },
      to: { path: '^domain/webhooks/' },
    },
    above('domain/webhooks', ...doors),
    above('migrations', 'domain', ...doors),
    above('agi', 'pbx', 'web', 'cli', 'lab', 'test'),
    above('pbx', 'agi', 'web', 'cli', 'lab', 'test'),
    above('web', 'agi', 'pbx', 'cli', 'lab', 'test'),
    above('lab', 'agi', 'pbx', 'web', 'cli', 'test'),
    above('cli', 'test'),
    only('ding-dong-in-one-place', 'ding-dong', 'agi/wire/'),
    only('asterisk-manager-in-one-place', 'asterisk-manager', 'pbx/ami/'),
    only('handlebars-in-one-place', 'handlebars', 'pbx/files/'),
    only('commander-in-one-place', 'commander', 'cli/'),
    only('knex-and-pg-in-one-place', '(knex|pg)', 'domain/database/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.tap)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
