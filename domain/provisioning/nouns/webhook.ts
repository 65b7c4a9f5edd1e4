import { eventTypes } from '../../event-types.js';
import { computed, describe, link, name, words, yesNo } from '../fields/description.js';

/** Addresses outside that are sent the events of a team, signed (Standard Webhooks 1.0). */
export const webhook = describe({
  noun: 'webhook',
  table: 'webhooks',
  title: 'webhooks: addresses that are sent the events of the team (star64 web sends)',
  verbs: {
    add: 'create a webhook, and print its secret: once, since it is not shown again',
    list: 'list the webhooks of the team',
    show: 'show a webhook',
    set: 'change a webhook',
    remove: 'remove a webhook, with what it has not been sent yet',
  },
  key: 'name',
  owner: 'team',
  goesWithTeam: true,
  order: 'o.name',
  fields: {
    name: name('webhook', { help: 'for example crm' }),
    url: link(
      {
        what: 'url',
        placeholder: 'url',
        help: 'where events are sent by POST: https://…; redirects are not followed',
        required: true,
      },
      { plain: true },
    ),
    types: words(eventTypes, {
      placeholder: 'types',
      help: 'only events of these types, with commas between',
      none: 'events of every type, also of those to come',
      unless: 'all',
    }),
    enabled: yesNo({
      help: 'off: nothing is sent, and what happens meanwhile only by `webhook redeliver --since`',
      unless: 'on',
    }),
    state: computed<string>(
      `case when o.disabled_for = 'gone' then 'disabled: it has answered 410 Gone'
        when o.disabled_for = 'failures' then 'disabled: failures only since ' || to_char(o.failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI UTC')
        when not o.enabled then 'disabled'
        when o.failing_since is not null then 'failing since ' || to_char(o.failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI UTC')
        else 'ok' end`,
      { help: 'ok, failing, or disabled and why' },
    ),
    waiting: computed<number>(
      `(select count(*)::integer from webhook_deliveries d where d.webhook_id = o.id and d.state = 'due')`,
      { help: 'events that are still to be sent' },
    ),
  },
});
