import type { Test } from 'tap';
import { CallRecords } from '../../../domain/calls/records/records.js';
import type { Database } from '../../../domain/database/pool.js';
import { PopupRecords } from '../../../domain/popups/records.js';
import { transition } from '../../../domain/presence/agent-state.js';
import { beginWrapUp } from '../../../domain/presence/wrap-up.js';
import { faultsOf, type Page } from './browser.js';
import { callerOf, defaultNode } from '../records.js';

/** Waits until the page shows the agent in this state. */
export const stateIs = (page: Page, state: string): Promise<unknown> =>
  page.waitForSelector(`#state-card[data-state="${state}"]`);

/** Moves the focus by the Tab key alone until it is there. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let step = 0; step < 40; step++) {
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no key leads to ${selector}`);
}

/** A view is without a finding of axe in both colour schemes. */
export async function sound(t: Test, page: Page, view: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Of the other colours only what is of colours is another question.
    const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
    t.same(await faultsOf(page, rules), [], `${view}, ${colorScheme}`);
  }
}

/** Nothing is wider than the screen, in any language, on the smallest telephone. */
export async function fits(t: Test, page: Page, view: string): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  for (const language of ['de', 'es', 'fr', 'zh', 'en']) {
    await page.selectOption('#language', language);
    t.same(
      await page.evaluate(`[...document.querySelectorAll('body *')].filter((one) => one.checkVisibility()
        && !one.closest('.unseen') && (one.getBoundingClientRect().right > innerWidth + 1
          || one.matches('button, a, h2, dt, dd') && one.scrollWidth > one.clientWidth + 1))
        .map((one) => one.id + ' ' + one.className + ' ' + one.textContent)`),
      [],
      `${view}, ${language}`,
    );
  }
  if (before) await page.setViewportSize(before);
}

/** Extensions from 10000 of the user of a team's crowd, past the triggers that files need, and one more of somebody. */
export async function manyExtensions(
  db: Database,
  { team, extensions, name }: { team: string; extensions: number; name: string },
): Promise<void> {
  await db.transaction(async (trx) => {
    await trx.raw('set local session_replication_role = replica');
    await trx.raw(
      `with t as (select id from teams where identity = :team), somebody as (
         insert into users (team_id, username, name) select id, 'somebody', :name from t returning id, team_id)
       insert into extensions (team_id, number, user_id, secret)
         select t.id, 9999 + n, u.id, md5('secret' || n) from t join users u on u.team_id = t.id and u.username = 'crowd'
           cross join generate_series(1, :extensions) n
         union all select team_id, '99999', id, md5('secret') from somebody`,
      { team, extensions, name },
    );
  });
  await db.raw('analyze users, extensions');
}

/** The agent's phone rings for a call of the queue, with its popup; what the telephone system would write. */
export async function rings(
  db: Database,
  page: Page,
  call: string,
): Promise<Record<'answer' | 'hangUp' | 'wrapUp', () => Promise<void>>> {
  const [calls, popups] = [new CallRecords(db, defaultNode), new PopupRecords(db, defaultNode)];
  const caller = callerOf('astercc-support', call);
  const channel = `phone-${call}`;
  const { id: signIn } = await db('sign_ins').whereNull('signed_out_at').first<{ id: number }>('id');
  await calls.joined(caller, { number: '+4930111111' });
  const queue = await calls.offered(caller, channel, signIn);
  const of = { offerId: channel, callUniqueid: call, ...(queue && { groupId: queue.groupId }) };
  await transition(db, signIn, 'offer', of);
  await popups.due([
    {
      channel,
      call,
      kind: 'queue',
      team: 'astercc',
      extension: '5001',
      caller: null,
      arrives: false,
      final: true,
      secondsAgo: 0,
    },
  ]);
  await stateIs(page, 'ringing');
  return {
    answer: async () => {
      await transition(db, signIn, 'connect', of);
      await calls.answered(caller, channel, '1001');
      await stateIs(page, 'talking');
    },
    hangUp: async () => {
      await calls.callsEnded([{ uniqueid: call }]);
      await popups.told([{ channel, answeredAgo: 1, closedAgo: 0, outcome: null }]);
    },
    wrapUp: async () => {
      await beginWrapUp(db, signIn, channel, { groupId: queue?.groupId ?? 0, wrapUpSeconds: 600 });
      await stateIs(page, 'wrap-up');
    },
  };
}
