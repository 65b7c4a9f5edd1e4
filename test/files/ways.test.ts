import t from 'tap';
import { dialledForms } from '../../pbx/files/outside/dialled-forms.js';
import { waysModel } from '../../pbx/files/outside/ways.js';
import { wayPlans } from '../../pbx/files/outside/way-plans.js';
import type { TrunkRow, UserGroupRow, WaysRow } from '../../pbx/files/outside/ways-rows.js';

const trunk = (more: Partial<TrunkRow> = {}): TrunkRow => ({
  endpoint: 'provider',
  country: 'DE',
  format: 'e164',
  channels: null,
  replySeconds: 6,
  nextOn: null,
  callerId: null,
  ...more,
});
const group = (name: string, more: Partial<UserGroupRow> = {}): UserGroupRow => ({
  name,
  way: null,
  mayCall: null,
  callerId: null,
  hours: null,
  atOnce: null,
  ...more,
});
const payer = (number: string, ...userGroups: UserGroupRow[]): WaysRow['payers'][number] => ({
  number,
  endpoint: null,
  callerId: null,
  record: null,
  atOnce: null,
  userGroups,
});
const rows = (more: Partial<WaysRow> = {}): WaysRow => ({
  outsidePrefix: '0',
  country: 'DE',
  area: '30',
  mayCall: 'national,mobile',
  callerId: null,
  atOnce: null,
  way: { trunks: [trunk()], rules: [] },
  classes: [
    { beginning: '+49', class: 'national' },
    { beginning: '+4915', class: 'mobile' },
    { beginning: '0900', class: 'premium' },
    { beginning: '+43', class: 'international' },
  ],
  payers: [payer('5001')],
  ...more,
});
async function model(more: Partial<WaysRow> = {}, shows: (number: string) => boolean = () => true) {
  const given = rows(more);
  const found = waysModel('astercc', 'never', { rows: given, plans: await wayPlans(given) }, shows);
  if (!found) throw new Error('no ways');
  return found;
}
type Ways = Awaited<ReturnType<typeof model>>;
/** The beginnings of a way that are open, each with the number as it is sent: what is added, and what is left out. */
const open = ({ ways }: Ways, name: string): Record<string, string> =>
  Object.fromEntries(
    (ways.find((way) => way.name === name)?.beginnings ?? [])
      .filter(({ steps }) => steps.length > 0)
      .map(({ beginning, steps }) => [
        beginning,
        steps.map(({ added, strip }) => `${added}-${strip}`).join(' '),
      ]),
  );

await t.test(
  'only what is national or mobile, and may be called, is open; what is dearer within it is not',
  async (t) => {
    t.same(open(await model(), 'astercc-ways'), { '+49': '-0', '+4915': '-0' });
    t.same(open(await model({ mayCall: 'national,international,premium' }), 'astercc-ways'), { '+49': '-0' });
    t.same(open(await model({ mayCall: '' }), 'astercc-ways'), {});
    const { ways } = await model();
    t.match(
      ways[0]?.beginnings.find(({ beginning }) => beginning === '+49900'),
      { class: 'premium', steps: [] },
      'and is written, or the shorter beginning would hold',
    );
    t.same(
      open(await model({ classes: [], country: null }), 'astercc-ways'),
      {},
      'nothing is open of which nothing is known',
    );
    const byTables = open(await model({ classes: [] }), 'astercc-ways');
    t.match(byTables, { '+4930': '-0', '+4917': '-0', '+498': '-0' });
    for (const closed of ['+49180', '+49900', '+49115', '+49']) t.notOk(closed in byTables, closed);
  },
);

await t.test('each trunk is sent numbers in its form', async (t) => {
  const sent = async (one: Partial<TrunkRow>): Promise<string | undefined> =>
    open(await model({ way: { trunks: [trunk(one)], rules: [] } }), 'astercc-ways')['+49'];
  t.equal(await sent({ format: 'e164' }), '-0');
  t.equal(await sent({ format: 'plain' }), '-1');
  t.equal(await sent({ format: 'international' }), '00-1');
  t.equal(await sent({ format: 'national' }), '0-3', 'at home');
  t.equal(await sent({ format: 'national', country: 'AT' }), '00-1', 'from abroad');
  t.equal(await sent({ format: 'international', country: 'US' }), '011-1');
});

await t.test('rules of a trunk group hold for what begins so, the longest one alone', async (t) => {
  const rules = [
    { beginning: '+49180', refused: true, strip: 0, added: '' },
    { beginning: '+4930', refused: false, strip: 3, added: '0' },
    { beginning: '+49301', refused: false, strip: 0, added: '' },
    { beginning: '+1', refused: false, strip: 1, added: '' },
  ];
  t.same(
    open(await model({ way: { trunks: [trunk(), trunk({ format: 'plain' })], rules } }), 'astercc-ways'),
    {
      '+49': '-0 -1',
      '+4915': '-0 -1',
      '+4930': '0-3 0-3',
      '+49301': '-0 -1',
    },
  );
});

await t.test(
  'of the user groups the lowest position that says something: trunks, rights, hours, caller ID',
  async (t) => {
    const own = { trunks: [trunk({ endpoint: 'own' })], rules: [] };
    const found = await model({
      callerId: '+49306001',
      payers: [
        payer('5001'),
        payer('5002', group('sales', { way: own })),
        payer(
          '5003',
          group('night', { mayCall: 'mobile', hours: 'office' }),
          group('sales', { way: own, callerId: '+49306002' }),
        ),
        payer('5004', group('night', { mayCall: 'mobile' })),
      ],
    });
    t.same(
      found.payers.map(({ ways, callerId, hours }) => [ways, callerId, hours]),
      [
        ['astercc-ways', '+49306001', ''],
        ['astercc-ways-sales', '+49306001', ''],
        ['astercc-ways-sales-night', '+49306002', 'office'],
        ['astercc-ways-0-night', '+49306001', ''],
      ],
    );
    t.same(open(found, 'astercc-ways-sales-night'), { '+4915': '-0' });
    t.equal(
      found.ways.find(({ name }) => name === 'astercc-ways-sales')?.beginnings[0]?.steps[0]?.endpoint,
      undefined,
    );
    t.same((await model({ way: null })).payers[0]?.ways, '', 'no trunk: no way');
  },
);

await t.test("only a number that is still the team's is shown, the nearest to the phone", async (t) => {
  const given: Partial<WaysRow> = {
    callerId: '+49306001',
    way: { trunks: [trunk(), trunk({ callerId: '+49306009' })], rules: [] },
    payers: [{ ...payer('5001', group('sales', { callerId: '+49306002' })), callerId: '+49306003' }],
  };
  const said = ['+49306003', '+49306002', '+49306001', '+49306009'];
  for (const [gone, number] of [...said, ''].entries()) {
    const shows = (one: string): boolean => !said.slice(0, gone).includes(one);
    t.equal((await model(given, shows)).payers[0]?.callerId, number);
  }
});
await t.test(
  'calls at a time are limited without a server, too, under the names of the server',
  async (t) => {
    const sales = group('sales', { atOnce: 5 });
    const night = group('night', { mayCall: 'mobile' });
    const { payers } = await model({
      atOnce: 20,
      payers: [payer('5001'), { ...payer('5002', night, sales, group('late', { atOnce: 1 })), atOnce: 2 }],
    });
    t.same(
      payers.map(({ counts }) => counts.map(({ name, most }) => `${name}=${most}`).join('&')),
      ['team=20', 'extension-5002=2&group-sales=5&team=20'],
    );
    t.same((await model()).payers[0]?.counts, [], 'none is set: any number');
  },
);

await t.test('what phones dial in a country', async (t) => {
  const patterns = async (country: string | null, area: string | null): Promise<string[]> =>
    (await dialledForms(country))
      .patterns(area)
      .map(({ pattern, added, strip }) => `${pattern} ${added}-${strip}`);
  t.same(await patterns(null, '30'), ['_+X. -0']);
  t.same(await patterns('DE', '30'), ['_+X. -0', '_00X. +-2', '_0ZX. +49-1', '_NXXX. +4930-0']);
  t.same(await patterns('DE', null), ['_+X. -0', '_00X. +-2', '_0ZX. +49-1'], 'no number without an area');
  t.same(await patterns('ES', null), ['_+X. -0', '_00X. +-2', '_0XXXXX. +34-0', '_NXXXXX. +34-0']);
  t.same(await patterns('US', '212'), [
    '_+X. -0',
    '_011X. +-3',
    '_1XXXXXX. +-0',
    '_NXXXXXXXXX +1-0',
    '_NXXXXXX +1212-0',
  ]);
});
