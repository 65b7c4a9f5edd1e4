import t from 'tap';
import { eventFilter } from '../../pbx/ami/manager.js';
import { observedEvents } from '../../pbx/watch/events/event-headers.js';
import { managerAdvice } from '../bench/manager-advice.js';

await t.test(
  'who follows the advice of docs/speed.md keeps every event that is read, and no other',
  async (t) => {
    const { user, general } = await managerAdvice();
    t.equal(user.trim(), `eventfilter = ${eventFilter(observedEvents)}`);
    const disabled = /^disabledevents = (.*)$/m.exec(general)?.[1]?.split(',') ?? [];
    t.ok(disabled.length > 20);
    t.same(
      disabled.filter((name) => ['FullyBooted', ...observedEvents].includes(name)),
      [],
    );
  },
);
