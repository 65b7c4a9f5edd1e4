import t from 'tap';
import type { OutboundTeam, UserGroupOut } from '../../domain/calls/outbound/outbound-team.js';
import { TurnsInMemory, type TrunkGroupOut } from '../../domain/calls/outbound/ways-out.js';
import {
  a,
  b,
  c,
  caller,
  decide,
  group,
  national,
  phone,
  team,
  trunkGroup,
  trunksOf,
} from '../support/outbound-team.js';

await t.test('over which trunks, and what each is sent', (t) => {
  const both = { group: trunkGroup() };
  const way = (of: Partial<OutboundTeam>, groups: UserGroupOut[], dialled = national) =>
    trunksOf(decide(team(of, phone(groups)), { dialled }));
  t.same(way({}, []), ['b:+49401234567']);
  t.same(way({ way: both }, []), ['a:0401234567', 'b:+49401234567', 'c:49401234567']);
  t.same(way({ way: both }, [group('x', 1), group('y', 2, { way: { trunk: a } })]), ['a:0401234567']);
  t.same(
    way({}, [group('x', 1, { way: { trunk: c } }), group('y', 2, { way: { trunk: a } })]),
    ['c:49401234567'],
    'the lowest position that has one (spec 12)',
  );
  t.same(way({ way: null }, []), 'no-trunk');
  t.same(way({ way: { group: trunkGroup({ trunks: [] }) } }, []), 'no-trunk');
  t.same(
    way({ way: both }, [group('x', 1, { way: { group: trunkGroup({ trunks: [] }) } })]),
    'no-trunk',
    'what a group is given is its own way, and no other',
  );
  t.end();
});

await t.test('the longest beginning of a trunk group’s rules holds', (t) => {
  const over = (rules: TrunkGroupOut['rules'], dialled = national) =>
    trunksOf(decide(team({ way: { group: trunkGroup({ rules, trunks: [a, b] }) } }), { dialled }));
  const rule = (beginning: string, more = {}) => ({
    beginning,
    refused: false,
    strip: 0,
    added: '',
    ...more,
  });
  t.same(over([rule('+4940'), rule('+49', { refused: true })]), ['a:0401234567', 'b:+49401234567']);
  t.same(over([rule('+4940', { refused: true }), rule('')]), 'no-trunk');
  t.same(over([rule('+49', { strip: 3, added: '0' })]), ['a:0401234567', 'b:0401234567']);
  t.same(over([rule('', { added: '99' })]), ['a:99+49401234567', 'b:99+49401234567']);
  t.same(over([rule('+43', { refused: true })]), ['a:0401234567', 'b:+49401234567']);
  t.end();
});

await t.test('round robin begins with the next trunk at each call, random with any', (t) => {
  const turns = new TurnsInMemory();
  const first = (strategy: TrunkGroupOut['strategy']) =>
    Array.from({ length: 60 }, () => {
      const steps = trunksOf(
        decide(team({ way: { group: trunkGroup({ strategy }) } }), {}, caller(), { turns }),
      );
      t.equal(steps.length, 3, 'and the others follow');
      return String(steps[0]).charAt(0);
    });
  t.equal(first('round-robin').slice(0, 7).join(''), 'abcabca');
  t.same(new Set(first('random')), new Set(['a', 'b', 'c']));
  t.same(new Set(first('priority')), new Set(['a']));
  t.end();
});
