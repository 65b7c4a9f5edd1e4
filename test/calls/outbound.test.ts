import t from 'tap';
import { decideOutbound, type OutboundDecision } from '../../domain/calls/outbound/outbound.js';
import type { OutboundTeam } from '../../domain/calls/outbound/outbound-team.js';
import {
  caller,
  decide,
  dids,
  facts,
  group,
  international,
  mobile,
  national,
  noPlan,
  phone,
  premium,
  team,
  trunk,
  trunksOf,
} from '../support/outbound-team.js';

await t.test('a class is open where the nearest that says something opens it', (t) => {
  for (const [may, groups, open] of [
    [['national', 'mobile'], [], [national, mobile]],
    [[], [], []],
    [['international'], [], [international]],
    [['national'], [group('x', 1, { mayCall: ['premium'] })], [premium]],
    [['national'], [group('x', 1), group('y', 2, { mayCall: ['mobile'] })], [mobile]],
    [['national'], [group('x', 1, { mayCall: [] }), group('y', 2, { mayCall: ['mobile'] })], []],
  ] as const)
    for (const dialled of [national, mobile, international, premium]) {
      const decision = decide(team({ mayCall: may }, phone([...groups])), { dialled });
      const expected = (open as readonly string[]).includes(dialled) ? undefined : 'class';
      t.equal(
        decision.go ? undefined : decision.refused,
        expected,
        `${dialled} with ${may.join()} and ${groups.map(({ name }) => name).join()}`,
      );
    }
  t.end();
});

await t.test('a refusal says which command lets the call out', (t) => {
  const opens = (decision: OutboundDecision) => (decision.go ? 'it is called' : decision.opens);
  t.equal(
    opens(decide(team(), { dialled: international })),
    '`star64 team set astercc --may-call national,mobile,international`',
  );
  const own = phone([group('sales', 1, { mayCall: [] })]);
  t.equal(opens(decide(team({}, own))), '`star64 user-group set sales --may-call national`');
  t.equal(
    opens(decide(team(), {}, caller({ mayCall: ['mobile'] }))),
    '`star64 group set support --may-call national,mobile`',
  );
  t.equal(opens(decide(team({ way: null }))), '`star64 team set astercc --trunk <name>`');
  t.equal(opens(decide(team({ outsidePrefix: null }))), '`star64 team set astercc --outside-prefix 0`');
  t.equal(
    opens(decide(team({ area: null }), { dialled: '1234567' })),
    '`star64 team set astercc --area <code>`',
  );
  t.end();
});

await t.test('the group of an agent takes away, and never gives', (t) => {
  t.ok(decide(team(), {}, caller({ mayCall: ['national'] })).go);
  t.match(decide(team(), { dialled: mobile }, caller({ mayCall: ['national'] })), { refused: 'class' });
  t.match(decide(team(), { dialled: premium }, caller({ mayCall: ['premium'] })), { refused: 'class' });
  t.match(decide(team(), {}, caller({ mayCall: [] })), { refused: 'class' });
  t.end();
});

await t.test('whoever only takes calls makes none (spec 49)', (t) => {
  t.match(decide(team(), {}, caller({ mode: 'inbound' })), { go: false, refused: 'work-mode' });
  for (const mode of ['outbound', 'all'] as const) t.ok(decide(team(), {}, caller({ mode })).go, mode);
  t.ok(decide(team(), {}, caller(null)).go, 'nobody is signed in');
  t.end();
});

await t.test('with nobody to say who is at the phone, what may be dear is refused', (t) => {
  const all = team({ mayCall: ['national', 'mobile', 'international', 'premium'] });
  const closed = team({ mayCall: [] });
  const asked = (of: OutboundTeam, dialled: string) =>
    decideOutbound(of, { dialled, endpoint: 'astercc-5000', hidden: false, instant: 0 }, undefined, {
      facts,
    });
  t.ok(asked(all, national).go);
  t.ok(asked(all, mobile).go);
  t.match(asked(all, international), { refused: 'unknown' });
  t.match(asked(all, premium), { refused: 'unknown' });
  t.match(asked(closed, national), { refused: 'class' }, 'and no right grows');
  t.end();
});

await t.test('only a phone of the team calls, or the team itself', (t) => {
  for (const endpoint of [
    'other-5000',
    'provider',
    'astercc-trunk-main',
    'astercc-',
    'astercc-5000-1',
    '5000',
  ])
    t.match(decide(team(), { endpoint }), { refused: 'nobody' }, endpoint);
  t.match(decide(team(), {}, null), { refused: 'nobody' }, 'an extension that was removed');
  t.match(decide(team(), { endpoint: '' }, null), { go: true, extension: null, talks: null });
  const own = new Map([['desk.1', phone()]]);
  t.match(decide(team({ extensions: own }), { endpoint: 'desk.1' }), { go: true, extension: '5000' });
  t.end();
});

await t.test('which number is shown: extension, user group, team, trunk, and only a DID of the team', (t) => {
  const shown = (of: OutboundTeam) => {
    const decision = decide(of);
    return decision.go ? decision.callerId : decision.refused;
  };
  const [x, g, m, k] = [...dids] as [string, string, string, string];
  const over = { trunk: trunk('k', { callerId: k }) };
  t.equal(
    shown(team({ callerId: m, way: over }, phone([group('s', 1, { callerId: g })], { callerId: x }))),
    x,
  );
  t.equal(shown(team({ callerId: m, way: over }, phone([group('r', 1), group('s', 2, { callerId: g })]))), g);
  t.equal(shown(team({ callerId: m, way: over }, phone())), m);
  t.equal(shown(team({ way: over }, phone())), k);
  t.equal(shown(team()), null);
  t.equal(
    shown(team({ callerId: m }, phone([], { callerId: '+4930999' }))),
    m,
    'a DID that the team has no more',
  );
  t.end();
});

await t.test('hours, limits, hidden numbers and what is counted', (t) => {
  const inHours = (hours: string) => decide(team({}, phone([group('x', 1), group('y', 2, { hours })])));
  t.ok(inHours('open').go);
  t.match(inHours('shut'), { refused: 'hours', userGroup: 'y' });
  t.ok(inHours('gone').go, 'hours that are removed at this moment');
  const seen: unknown[] = [];
  const limits = {
    check: (...asked: unknown[]) => (
      seen.push(asked),
      { limit: 'calls-per-hour' as const, of: 'team' as const, name: 'astercc', most: 10 }
    ),
    counts: () => [{ name: 'team', most: 20 }],
  };
  const own = team({}, phone([group('x', 1)]));
  t.match(decide(own, {}, caller(), { limits }), { refused: 'limit' });
  t.same(seen, [[{ team: 'astercc', extension: '5000', class: 'national', at: 0, call: undefined }]]);
  const open = { ...limits, check: () => undefined };
  t.match(decide(own, { hidden: true }, caller({}), { limits: open }), {
    hide: true,
    counts: [{ name: 'team', most: 20 }],
    talks: { member: 'PJSIP/astercc-5000', wrapUp: 'answer' },
  });
  t.match(decide(team({ record: 'always' }, phone([], { record: 'never' }))), { record: false });
  t.match(decide(team({ record: 'always' }, phone())), { record: true });
  t.end();
});

await t.test('an emergency goes before every right and limit, over every trunk', (t) => {
  // As `EmergencyMemory` answers.
  const emergencies = {
    dialled: (_team: string, number: string) => (['112', '+49112'].includes(number) ? '112' : undefined),
  };
  const limits = {
    check: () => ({ limit: 'calls-per-day' as const, of: 'team' as const, name: 'astercc', most: 1 }),
    counts: () => [],
  };
  const closed = team({ mayCall: [], way: null, outsidePrefix: null, plan: noPlan }, phone());
  for (const who of [caller({ mode: 'inbound', mayCall: [] }), caller(), undefined])
    t.same(
      trunksOf(
        decideOutbound(closed, { dialled: '112', endpoint: 'astercc-5000', hidden: true, instant: 0 }, who, {
          facts,
          emergencies,
          limits,
        }),
      ),
      ['b:112', 'a:112'],
    );
  t.match(decide(closed, { dialled: '112' }, caller(), { emergencies }), { class: 'emergency', hide: false });
  for (const dialled of ['+49112', '0049112']) {
    const decision = decide(team({ mayCall: [] }), { dialled }, caller(), { emergencies });
    t.match(decision, { class: 'emergency', number: '112' }, dialled);
    t.same(trunksOf(decision), ['b:112', 'a:112'], 'no trunk routes it with a country before it');
  }
  t.match(decide(team(), { dialled: '0112' }, caller(), { emergencies }), { class: 'premium' });
  t.end();
});

await t.test('a team knows better than the numbering plan: the longest of its beginnings', (t) => {
  const classes = [
    { beginning: '+49180', class: 'national' as const },
    { beginning: '115', class: 'national' as const },
    { beginning: '+49', class: 'premium' as const },
  ];
  const classOf = (dialled: string) => decide(team({ classes }), { dialled }).class;
  t.equal(classOf('01805123456'), 'national');
  t.equal(classOf('115'), 'national');
  t.equal(classOf(national), 'premium');
  t.equal(classOf(international), 'international');
  t.end();
});

await t.test(
  'the team’s own number: a phone may call it, the team would call itself again and again',
  (t) => {
    t.ok(decide(team(), { dialled: '030600100' }).go);
    t.match(decide(team(), { dialled: '030600100', endpoint: '' }, null), { refused: 'number' });
    t.end();
  },
);

await t.test('what cannot be a number is refused, and is nowhere in the answer', (t) => {
  for (const dialled of ['', '0', '0401234567&PJSIP/5001', '${EXTEN}', '0401234567\n', '1'.repeat(200)])
    t.match(decide(team(), { dialled }), { refused: 'number', number: null }, JSON.stringify(dialled));
  t.end();
});
