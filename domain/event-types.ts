/** What can happen, by the `type` of an event. */
export const eventTypes = [
  'agent.state',
  'call.arrived',
  'call.dialled',
  'call.queued',
  'call.answered',
  'call.abandoned',
  'call.ended',
  'call.emergency',
  'limit.reached',
  'limit.over',
  'supervision.began',
  'supervision.over',
  'popup.opened',
  'popup.answered',
  'popup.closed',
  'webhook.disabled',
] as const;
export type EventType = (typeof eventTypes)[number];
