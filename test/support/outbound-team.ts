import type { CallerOut } from '../../domain/calls/outbound/caller-out.js';
import {
  decideOutbound,
  type Deciding,
  type OutboundDecision,
} from '../../domain/calls/outbound/outbound.js';
import type { ExtensionOut, OutboundTeam, UserGroupOut } from '../../domain/calls/outbound/outbound-team.js';
import { nextOnUnlessSaid, type TrunkGroupOut, type TrunkOut } from '../../domain/calls/outbound/ways-out.js';
import { diallingPlan } from '../../domain/dialling-plan.js';

export const plan = await diallingPlan('DE');
export const noPlan = await diallingPlan(null);
export const trunk = (name: string, more: Partial<TrunkOut> = {}): TrunkOut => ({
  id: name.charCodeAt(0),
  name,
  endpoint: `${name}-endpoint`,
  country: 'DE',
  plan,
  format: 'e164',
  channels: null,
  replySeconds: 6,
  nextOn: nextOnUnlessSaid,
  callerId: null,
  ...more,
});
export const [a, b, c] = [trunk('a', { format: 'national' }), trunk('b'), trunk('c', { format: 'plain' })];
export const trunkGroup = (more: Partial<TrunkGroupOut> = {}): TrunkGroupOut => ({
  id: 1,
  name: 'both',
  strategy: 'priority',
  trunks: [a, b, c],
  rules: [],
  ...more,
});
export const group = (name: string, position: number, more: Partial<UserGroupOut> = {}): UserGroupOut => ({
  id: position,
  name,
  position,
  way: null,
  mayCall: null,
  callerId: null,
  hours: null,
  ...more,
});
export const phone = (groups: UserGroupOut[] = [], more: Partial<ExtensionOut> = {}): ExtensionOut => ({
  number: '5000',
  callerId: null,
  record: null,
  groups,
  ...more,
});
export const team = (more: Partial<OutboundTeam> = {}, extension?: ExtensionOut): OutboundTeam => ({
  id: 1,
  team: 'astercc',
  plan,
  area: '30',
  outsidePrefix: '0',
  callerId: null,
  mayCall: ['national', 'mobile'],
  record: 'never',
  classes: [],
  way: { trunk: b },
  extensions: new Map(extension ? [['astercc-5000', extension]] : []),
  trunks: [{ trunk: b }, { trunk: a }],
  ...more,
});
export const caller = (agent: Partial<NonNullable<CallerOut['agent']>> | null = null): CallerOut => ({
  extension: '5000',
  user: 'anna',
  agent: agent && {
    id: 1,
    number: '1001',
    group: 'support',
    mode: 'all',
    mayCall: null,
    wrapUp: 'answer',
    ...agent,
  },
});
export const dids = new Set(['+4930600100', '+4930600101', '+4930600102', '+4930600103']);
export const facts = {
  did: (_team: string, number: string) => (dids.has(number) ? number : undefined),
  hours: (_team: string, name: string) =>
    ({ open: { open: true, why: 'day' }, shut: { open: false, why: 'night' } })[name],
};

export interface Asked {
  dialled?: string;
  endpoint?: string;
  hidden?: boolean;
}
export const decide = (
  of: OutboundTeam,
  { dialled = '0401234567', endpoint = 'astercc-5000', hidden = false }: Asked = {},
  who: CallerOut | null | undefined = caller(),
  more: Partial<Deciding> = {},
): OutboundDecision => decideOutbound(of, { dialled, endpoint, hidden, instant: 0 }, who, { facts, ...more });

export const trunksOf = (decision: OutboundDecision): string[] | string =>
  decision.go ? decision.steps.map(({ trunk, sent }) => `${trunk.name}:${sent}`) : decision.refused;

export const [national, mobile, international, premium] = [
  '0401234567',
  '015112345678',
  '004312345',
  '09001234567',
];
