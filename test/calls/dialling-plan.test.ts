import t from 'tap';
import { diallingPlan } from '../../domain/dialling-plan.js';

/** Country, area, what is dialled, the number, its class. */
const table: [country: string, area: string | null, dialled: string, number: string, numberClass: string][] =
  [
    ['DE', '30', '123456', '+4930123456', 'national'],
    ['DE', '30', '030123456', '+4930123456', 'national'],
    ['DE', '30', '+4930123456', '+4930123456', 'national'],
    ['DE', '30', '004930123456', '+4930123456', 'national'],
    ['DE', '30', '493012345678', '+493012345678', 'national'],
    ['DE', null, '493012345678', '+493012345678', 'national'],
    ['DE', '30', '08001234567', '+498001234567', 'national'],
    ['DE', '30', '01815123456', '+491815123456', 'national'],
    ['DE', '30', '015112345678', '+4915112345678', 'mobile'],
    ['DE', '30', '01691234567', '+491691234567', 'premium'],
    ['DE', '30', '09001234567', '+499001234567', 'premium'],
    ['DE', '30', '01805123456', '+491805123456', 'premium'],
    ['DE', '30', '070012345678', '+4970012345678', 'premium'],
    ['DE', '30', '0190123456', '+49190123456', 'premium'],
    ['DE', '30', '01033', '+491033', 'premium'],
    ['DE', '30', '115', '115', 'premium'],
    ['DE', '30', '11833', '11833', 'premium'],
    ['DE', '30', '116117', '116117', 'national'],
    ['DE', '30', '004312345', '+4312345', 'international'],
    ['DE', '30', '0018765551234', '+18765551234', 'international'],
    ['DE', '30', '00441234567890', '+441234567890', 'international'],
    ['DE', '30', '00447012345678', '+447012345678', 'premium'],
    ['DE', '30', '0019005551234', '+19005551234', 'premium'],
    ['DE', '30', '00882161234567', '+882161234567', 'premium'],
    ['DE', '30', '00870773111632', '+870773111632', 'premium'],
    ['DE', '30', '0080012345678', '+80012345678', 'international'],
    ['AT', '1', '58858', '+43158858', 'national'],
    ['AT', '1', '0158858', '+43158858', 'national'],
    ['AT', '1', '06641234567', '+436641234567', 'mobile'],
    ['AT', '1', '0900123456', '+43900123456', 'premium'],
    ['AT', '1', '133', '133', 'premium'],
    ['FR', null, '0142685300', '+33142685300', 'national'],
    ['FR', null, '0612345678', '+33612345678', 'mobile'],
    ['FR', null, '0899123456', '+33899123456', 'premium'],
    ['FR', null, '3615', '3615', 'premium'],
    ['FR', null, '00262262123456', '+262262123456', 'international'],
    ['GB', '20', '79460018', '+442079460018', 'national'],
    ['GB', '20', '03001234567', '+443001234567', 'national'],
    ['GB', '20', '07400123456', '+447400123456', 'mobile'],
    ['GB', '20', '07012345678', '+447012345678', 'premium'],
    // Jersey has the code of the United Kingdom, and other prices.
    ['GB', '20', '07797712345', '+447797712345', 'international'],
    ['GB', '20', '118118', '118118', 'premium'],
    ['US', '212', '5550100', '+12125550100', 'national'],
    ['US', '212', '2125550100', '+12125550100', 'national'],
    ['US', '212', '12125550100', '+12125550100', 'national'],
    ['US', '212', '18005551234', '+18005551234', 'national'],
    ['US', '212', '19005551234', '+19005551234', 'premium'],
    ['US', '212', '18765551234', '+18765551234', 'international'],
    ['US', '212', '14165550100', '+14165550100', 'international'],
    ['US', '212', '0114930123456', '+4930123456', 'international'],
    ['US', '212', '411', '411', 'premium'],
    ['ES', null, '912345678', '+34912345678', 'national'],
    ['ES', null, '612345678', '+34612345678', 'mobile'],
    ['ES', null, '803123456', '+34803123456', 'premium'],
    ['IT', '06', '0669812345', '+390669812345', 'national'],
  ];

await t.test('what is dialled becomes one number, and has one class', async (t) => {
  for (const [country, area, dialled, number, numberClass] of table) {
    const { read } = await diallingPlan(country);
    t.match(read(dialled, area), { number, class: numberClass }, `${country} ${area ?? '-'} ${dialled}`);
  }
});

await t.test('a number that is read again is itself, whatever its form', async (t) => {
  for (const [country, area, , number, numberClass] of table) {
    const plan = await diallingPlan(country);
    for (const format of ['e164', 'international', 'national'] as const) {
      const written = plan.written(number, format);
      t.match(plan.read(written, area), { number, class: numberClass }, `${country} ${number} as ${written}`);
    }
  }
});

await t.test('what cannot be a number is none', async (t) => {
  const { read } = await diallingPlan('DE');
  for (const dialled of [
    '',
    '0',
    '+',
    '+0',
    '++49301234',
    '4930+1234',
    '030 1234567',
    '030&PJSIP/1',
    '1'.repeat(200),
    '0049301234567890123',
    '٣٠١٢٣٤٥٦',
  ])
    t.equal(read(dialled, '30'), undefined, JSON.stringify(dialled));
  t.equal(read('2212345', null), undefined, 'without an area code it could be anybody in another town');
});

await t.test('how a number is sent', async (t) => {
  for (const [country, number, plain, international, national] of [
    ['DE', '+4930123456', '4930123456', '004930123456', '030123456'],
    ['DE', '+12125550100', '12125550100', '0012125550100', '0012125550100'],
    ['US', '+12125550100', '12125550100', '01112125550100', '2125550100'],
    ['US', '+4930123456', '4930123456', '0114930123456', '0114930123456'],
    ['FR', '+33142685300', '33142685300', '0033142685300', '0142685300'],
    ['AT', '+43158858', '43158858', '0043158858', '0158858'],
    ['ES', '+34912345678', '34912345678', '0034912345678', '912345678'],
    ['DE', '+49190123456', '49190123456', '0049190123456', '0190123456'],
    ['DE', '115', '115', '115', '115'],
  ] as const) {
    const { written } = await diallingPlan(country);
    t.same(
      [
        written(number, 'e164'),
        written(number, 'plain'),
        written(number, 'international'),
        written(number, 'national'),
      ],
      [number, plain, international, national],
      `${number} in ${country}`,
    );
  }
});

await t.test('beginnings as people type them', async (t) => {
  for (const [country, typed, kept] of [
    ['DE', '0180', '+49180'],
    ['DE', '00371', '+371'],
    ['DE', '+371', '+371'],
    ['DE', '115', '115'],
    ['US', '1900', '+1900'],
    ['US', '112', '112'],
    ['US', '011371', '+371'],
    ['ES', '803', '803'],
  ] as const)
    t.equal((await diallingPlan(country)).beginning(typed), kept, `${country} ${typed}`);
  t.equal((await diallingPlan('ES')).read('803123456', null)?.also, '803123456', 'and it is found by it');
});

await t.test('without a country nothing is known of any number', async (t) => {
  const { read } = await diallingPlan(null);
  t.match(read('+4930123456', null), { number: '+4930123456', class: 'premium' });
  t.match(read('030123456', '30'), { number: '030123456', class: 'premium' });
});
