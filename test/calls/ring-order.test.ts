import t from 'tap';
import { ringOrder, writeSteps, type RingMember } from '../../domain/calls/routing/ring-order.js';
import { ringStrategies } from '../../domain/provisioning/nouns/ring-group.js';

const member = (rings: string | null, more: Partial<RingMember> = {}): RingMember => ({
  rings,
  lastCallAt: null,
  calls: 0,
  ...more,
});
const three = [member('5001'), member('5002'), member('o4915112345678')];

void t.test('everybody at once, or one after the other in the order of the group', (t) => {
  t.same(ringOrder('ring-all', three, 7), [['5001', '5002', 'o4915112345678']]);
  t.same(ringOrder('in-order', three, 7), [['5001'], ['5002'], ['o4915112345678']]);
  t.end();
});

void t.test('in turn each begins as often as the others, and goes on with the next one', (t) => {
  t.same(ringOrder('round-robin', three, 1), [['5002'], ['o4915112345678'], ['5001']]);
  const first = Array.from({ length: 30 }, (_, turn) => ringOrder('round-robin', three, turn)[0]?.[0]);
  for (const { rings } of three) t.equal(first.filter((one) => one === rings).length, 10);
  t.end();
});

void t.test('by chance every order is as likely as any other', (t) => {
  const orders = new Set<string>();
  for (const first of [0, 0.34, 0.67])
    for (const second of [0, 0.5]) {
      const chances = [first, second, 0];
      const steps = ringOrder('random', three, 0, () => chances.shift() ?? 0);
      t.same(steps.map(([one]) => one).sort(), ['5001', '5002', 'o4915112345678'], 'each is rung once');
      orders.add(writeSteps(steps));
    }
  t.equal(orders.size, 6);
  t.end();
});

void t.test(
  'who has been idle for longest, and who had fewest calls; who is alike in the order of the group',
  (t) => {
    const members = [
      member('5001', { lastCallAt: 30, calls: 2 }),
      member('5002', { lastCallAt: 10, calls: 3 }),
      member('5003'),
      member('5004'),
      member('5005', { lastCallAt: 20, calls: 2 }),
    ];
    t.equal(writeSteps(ringOrder('longest-idle', members, 0)), '5003-5004-5002-5005-5001');
    t.equal(writeSteps(ringOrder('fewest-calls', members, 0)), '5003-5004-5001-5005-5002');
    t.end();
  },
);

void t.test('an agent who is nowhere is passed over, and a phone that two mean rings once', (t) => {
  const members = [member(null), member('5001'), member('5001'), member('5002')];
  for (const strategy of ringStrategies) {
    const steps = ringOrder(strategy, members, 1);
    t.same(steps.flat().sort(), ['5001', '5002'], strategy);
    t.same(ringOrder(strategy, [member(null)], 3), [], `${strategy}: nobody`);
  }
  t.equal(writeSteps([['5001', '5002'], ['o49151']]), '5001&5002-o49151');
  t.equal(writeSteps([]), '-', 'nobody is an answer, too');
  t.end();
});
