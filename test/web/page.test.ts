import t, { type Test } from 'tap';
import type { FastifyInstance } from 'fastify';
import { CallRecords } from '../../domain/calls/records.js';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { PopupRecords } from '../../domain/popups/records.js';
import { transition } from '../../domain/presence/agent-state.js';
import { beginWrapUp } from '../../domain/presence/wrap-up.js';
import { pauseAgent, readyAgent } from '../../domain/provisioning/admin-action.js';
import { addGroup } from '../../domain/provisioning/group.js';
import { removeApiToken } from '../../domain/provisioning/api-token.js';
import { setAgent } from '../../domain/provisioning/agent.js';
import { addPauseReason } from '../../domain/provisioning/pause-reason.js';
import { setUser } from '../../domain/provisioning/user.js';
import { crowd, provision } from '../../lab/provision.js';
import { eventStreamsDefaults } from '../../web/event-streams.js';
import { faultsOf, needBrowser, openBrowser, type Page } from '../support/browser.js';
import { freshDatabase } from '../support/database.js';
import { callerOf, callJoined, defaultNode } from '../support/records.js';
import { apiOf, tokenOf } from '../support/web.js';

/** The agent's page and the board in a browser, with what a telephone system would do done in the database. */
await needBrowser(t);
const file = t;
const { db } = await freshDatabase(t);
const password = 'a long password';
await provision(
  db,
  crowd(2, {
    groups: [
      {
        name: 'support',
        number: '6000',
        wrapUp: 'answer',
        wrapUpSeconds: 600,
        application: 'third_party',
        link: 'https://crm.example/{caller}',
      },
    ],
  }),
);
await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
await setAgent(db, 'astercc', '1001', { password });
await setUser(db, 'astercc', 'crowd', { administrator: true, password });
const open = await openBrowser(t);
const streams = { ...eventStreamsDefaults, tokensMs: 200 };
let web: FastifyInstance = await apiOf(t, db, { streams });
const address = await web.listen({ host: '127.0.0.1', port: 0 });
const port = Number(new URL(address).port);

const stateIs = (page: Page, state: string): Promise<unknown> =>
  page.waitForSelector(`#state-card[data-state="${state}"]`);
const enabled = (page: Page, id: string): Promise<unknown> =>
  page.waitForSelector(`#${id}:not([aria-disabled]):not([aria-busy])`);

/** Moves the focus by the Tab key alone until it is there. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let step = 0; step < 40; step++) {
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no key leads to ${selector}`);
}

/** A view is without a finding of axe in both colour schemes. */
async function sound(t: Test, page: Page, view: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    t.same(await faultsOf(page), [], `${view}, ${colorScheme}`);
  }
}

/** Nothing is wider than the screen, in any language, on the smallest telephone. */
async function fits(t: Test, page: Page, view: string): Promise<void> {
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

/** The agent's phone rings for a call of the queue, with its popup; what the telephone system would write. */
async function rings(
  page: Page,
  call: string,
): Promise<{ answer: () => Promise<void>; end: () => Promise<void> }> {
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
    end: async () => {
      await calls.callsEnded([{ uniqueid: call }]);
      await popups.told([{ channel, answeredAgo: 1, closedAgo: 0, outcome: null }]);
      await beginWrapUp(db, signIn, channel, { groupId: queue?.groupId ?? 0, wrapUpSeconds: 600 });
      await stateIs(page, 'wrap-up');
    },
  };
}

const { page } = await open({ locale: 'en-GB', viewport: { width: 1000, height: 800 } });
const problems: string[] = [];
page.on('pageerror', (error) => problems.push(String(error)));

await t.test('an agent logs in and signs in by keys alone, and the page follows the telephone', async (t) => {
  await page.goto(`${address}/agent?team=astercc`);
  await page.waitForSelector('#log-in:not([hidden])');
  await sound(t, page, 'log in');
  await fits(t, page, 'log in');
  await tabTo(page, '[name=agent]');
  await page.keyboard.type('1001');
  await tabTo(page, '[name=password]');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('Team, number or password are not right.').waitFor();
  await page.locator('#log-in [name=password]').fill(password);
  await page.keyboard.press('Enter');
  await stateIs(page, 'signed-out');
  t.notOk(await page.evaluate('document.cookie'), 'no script sees the cookie');
  await sound(t, page, 'signed out');
  await tabTo(page, '[name=extension]');
  await page.keyboard.type('5001');
  await page.keyboard.press('Enter');
  await stateIs(page, 'idle');
  t.equal(await page.textContent('#announce'), 'Ready', 'it is said aloud');
  await tabTo(page, '#reason');
  await page.keyboard.press('L');
  await enabled(page, 'primary');
  await page.keyboard.press('Alt+r');
  await stateIs(page, 'paused');
  t.match(await page.textContent('#state-detail'), /Lunch · Extension 5001/);
  await sound(t, page, 'paused');
  await readyAgent(db, 'astercc', '1001');
  await stateIs(page, 'idle');
  await sound(t, page, 'ready');
});

await t.test('a call with its popup, from the ring to the end of the wrap-up', async (t) => {
  const call = await rings(page, 'call.1');
  await page.getByText('A call of +4930111111 comes in').waitFor({ state: 'attached' });
  const link = page.getByRole('link', { name: 'Open the customer’s page' });
  t.equal(await link.getAttribute('href'), 'https://crm.example/%2B4930111111');
  t.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  await sound(t, page, 'ringing');
  await call.answer();
  t.equal(await page.textContent('#caller'), '+4930111111');
  await sound(t, page, 'talking');
  await fits(t, page, 'talking');
  await call.end();
  t.match(await page.textContent('#countdown'), /^(10:00|9:[0-5][0-9])$/, 'by the clock of the server');
  await sound(t, page, 'wrap-up');
  await fits(t, page, 'wrap-up');
  await page.getByLabel('Result').fill('sold');
  await page.keyboard.press('Enter');
  await stateIs(page, 'idle');
  t.match(await db('popups').first<object>(), { disposition: 'sold', done_at: Date });
  t.match(await page.textContent('#today'), /Answered1/);
});

await t.test('without the server no state is shown as true, and afterwards nothing was missed', async (t) => {
  await web.close();
  await stateIs(page, 'unknown');
  await page.getByText('No connection since').waitFor();
  t.match(await page.textContent('#state-detail'), /^Last known: Ready, at/);
  t.equal(await page.textContent('#clock'), '–');
  t.ok(await page.$('#primary[aria-disabled]'), 'nothing can be done');
  await sound(t, page, 'without a server');
  await pauseAgent(db, 'astercc', '1001', '1');
  const nowhere = connect('postgres://nobody@127.0.0.1:1/none', { max: 1 });
  web = await apiOf(t, nowhere);
  await web.listen({ host: '127.0.0.1', port });
  await page.getByText('The server cannot work just now.').waitFor();
  await web.close();
  await nowhere.destroy();
  web = await apiOf(file, db, { streams });
  const resumed: string[] = [];
  web.server.on('request', ({ url, headers }) => {
    if (url?.endsWith('/events')) resumed.push(String(headers['last-event-id']));
  });
  await web.listen({ host: '127.0.0.1', port });
  await stateIs(page, 'paused');
  t.match(resumed[0], /^\d+-\d+-\d+$/, 'it goes on behind what it had heard last');
  t.ok(await page.isHidden('#offline'));
});

await t.test('the board: waiting, longest, level and agents, by a login and by a token', async (t) => {
  const board = await open({ viewport: { width: 1920, height: 1080 } });
  await board.page.goto(`${address}/board?team=astercc`);
  await board.page.locator('#log-in [name=username]').fill('crowd');
  await sound(t, board.page, 'log in at the board');
  await board.page.locator('#log-in [name=password]').fill(password);
  await board.page.keyboard.press('Enter');
  await board.page.getByText('1 paused').first().waitFor();
  await callJoined(db, 'astercc-support', 'call.2', '+4930222222');
  await board.page.waitForSelector('.group .big dd:text-is("1")');
  await sound(t, board.page, 'board');
  const token = await tokenOf(db, 'astercc', 'reader');
  const television = await open({ locale: 'de', viewport: { width: 1280, height: 720 } });
  await television.page.goto(`${address}/board#token=${token}`);
  await television.page.waitForSelector('.group');
  t.notMatch(television.page.url(), /token/, 'the token does not stay in the address');
  for (let n = 1; n <= 20; n++) await addGroup(db, 'astercc', { name: `group${n}` });
  await television.page.reload();
  await television.page.waitForSelector('#pager:not([hidden])');
  t.ok(
    await television.page.evaluate('document.documentElement.scrollHeight <= innerHeight'),
    'nobody scrolls',
  );
  await sound(t, television.page, 'board of many groups');
  const first = await television.page.textContent('.group h2');
  await television.page.keyboard.press('ArrowRight');
  await until('the next page', async () =>
    (await television.page.textContent('.group h2')) === first ? undefined : true,
  );
  await fits(t, television.page, 'board');
  await removeApiToken(db, 'astercc', 'a_reader');
  await television.page.waitForSelector('#log-in:not([hidden])');
});

await t.test('logged out is logged out', async (t) => {
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForSelector('#log-in:not([hidden])');
  await page.reload();
  await page.waitForSelector('#log-in:not([hidden])');
  t.same(problems, []);
});
