import type { IncomingMessage, ServerResponse } from 'node:http';
import t from 'tap';
import type { FastifyInstance } from 'fastify';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import { answerPhoneQuestion, openPhoneQuestions } from '../../domain/presence/phone-questions.js';
import { pauseAgent, readyAgent, signOutAgent } from '../../domain/provisioning/people/admin-action.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { removeApiToken } from '../../domain/provisioning/people/api-token.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { addPauseReason } from '../../domain/provisioning/people/pause-reason.js';
import { setUser } from '../../domain/provisioning/people/user.js';
import { crowd, provision } from '../../lab/provision.js';
import { eventStreamsDefaults } from '../../web/event-streams.js';
import { needBrowser, openBrowser, type Page } from '../support/doors/browser.js';
import { freshDatabase } from '../support/database.js';
import { fits, manyExtensions, rings, sound, stateIs, tabTo } from '../support/doors/desk-page.js';
import { callJoined } from '../support/records.js';
import { apiOf, tokenOf } from '../support/doors/web.js';

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

const enabled = (page: Page, id: string): Promise<unknown> =>
  page.waitForSelector(`#${id}:not([aria-disabled]):not([aria-busy])`);

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

await t.test(
  'of a team of thousands whom one types is offered, by name or number, and no others',
  async (t) => {
    await manyExtensions(db, { team: 'astercc', extensions: 20_000, name: 'zora zimmer' });
    const field = page.locator('#dial [name=number]');
    const options = page.locator('#directory option');
    await field.focus();
    await page.waitForSelector('#directory option', { state: 'attached' });
    await field.pressSequentially('zimm');
    await page.waitForSelector('#directory option[value="99999"][label="zora zimmer"]', {
      state: 'attached',
    });
    t.equal(await options.count(), 1);
    await field.clear();
    await field.pressSequentially('12345');
    await page.waitForSelector('#directory option[value="12345"]', { state: 'attached' });
    await until('the others to be gone', async () => ((await options.count()) === 1 ? true : undefined));
    await field.clear();
  },
);

await t.test('a call with its popup, from the ring to the end of the wrap-up', async (t) => {
  const call = await rings(db, page, 'call.1');
  await page.getByText('A call of +4930111111 comes in').waitFor({ state: 'attached' });
  const link = page.getByRole('link', { name: 'Open the customer’s page' });
  t.equal(await link.getAttribute('href'), 'https://crm.example/%2B4930111111');
  t.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  await sound(t, page, 'ringing');
  await call.answer();
  t.equal(await page.textContent('#caller'), '+4930111111');
  await sound(t, page, 'talking');
  await fits(t, page, 'talking');
  await call.hangUp();
  await call.wrapUp();
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

await t.test(
  'an answer that breaks off in the middle is none: no older state is shown as true',
  async (t) => {
    let breaking = true;
    web.server.prependListener('request', ({ url }: IncomingMessage, response: ServerResponse) => {
      if (!breaking || !url?.endsWith('/desk')) return;
      // The head comes whole and says how long it is all, and then half of it comes.
      const write = response.write.bind(response) as (chunk: Buffer, sent: () => void) => boolean;
      response.end = ((body: string | Buffer) =>
        write(Buffer.from(body).subarray(0, 20), () => response.destroy())) as never;
    });
    await readyAgent(db, 'astercc', '1001');
    await stateIs(page, 'unknown');
    t.match(await page.textContent('#state-detail'), /^Last known: Paused/);
    breaking = false;
    await stateIs(page, 'idle');
    await pauseAgent(db, 'astercc', '1001', '1');
    await stateIs(page, 'paused');
    t.same(problems, []);
  },
);

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

await t.test('a dynamic agent is asked at which of the phones they are, and answers by keys', async (t) => {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await stateIs(page, 'signed-out');
  await setAgent(db, 'astercc', '1001', { kind: 'dynamic' });
  await takeLeaderLease(db, 'default', 'one', 600, 0);
  await page.reload();
  /** Presses the button, and says in the place of a server where phones have registered from. */
  const signIn = async (phones: Record<string, string[]>): Promise<void> => {
    await stateIs(page, 'signed-out');
    t.equal(await page.inputValue('[name=extension]'), '', 'what was said last time does not count');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const question = await until(
      'a question',
      async () => (await openPhoneQuestions(db, 'default', 'one'))[0],
    );
    await answerPhoneQuestion(db, question.id, phones);
  };
  await signIn({ '5001': ['127.0.0.1'], '5002': ['127.0.0.1'] });
  const choice = page.getByRole('group', { name: 'Several phones are where you are. At which are you?' });
  await choice.waitFor();
  t.equal(await page.evaluate('document.activeElement.textContent'), '5001', 'the keys are there');
  await sound(t, page, 'which phone');
  await fits(t, page, 'which phone');
  await choice.getByRole('button', { name: '5001' }).focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await stateIs(page, 'idle');
  t.equal(await page.textContent('#state-detail'), 'Extension 5002');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn({ '5001': ['10.0.0.9'] });
  const free = page.getByRole('group', { name: 'These phones are free. At which are you?' });
  await free.getByRole('button', { name: '5001' }).click();
  await stateIs(page, 'idle');
  t.equal(await page.textContent('#state-detail'), 'Extension 5001');
});

await t.test(
  'popups open by themselves as the agent has chosen: a page, once, which learns nothing',
  async (t) => {
    const opened: Page[] = [];
    page.context().on('page', (one) => opened.push(one));
    await page.context().route('https://crm.example/**', (route) => route.fulfill({ body: 'customer' }));
    await page.getByLabel('Open the customer’s page by itself').check();
    const comes = page.context().waitForEvent('page');
    const call = await rings(db, page, 'call.3');
    const customer = await comes;
    await customer.waitForURL(/^https:/);
    t.equal(customer.url(), 'https://crm.example/%2B4930111111');
    t.same(await customer.evaluate('[opener, document.referrer]'), [null, '']);
    await call.answer();
    await call.hangUp();
    await page.waitForSelector('.popup', { state: 'detached' });
    await call.wrapUp();
    await page.waitForSelector('.popup');
    await page.getByRole('button', { name: 'End wrap-up' }).click();
    await stateIs(page, 'idle');
    t.equal(opened.length, 1, 'what the popup is told later opens nothing');

    await page.route(/\/popups\?/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll('https:', 'javascript:') });
    });
    const hostile = await rings(db, page, 'call.4');
    await page.waitForSelector('.popup');
    t.equal(await page.locator('.popup a').count(), 0, 'only a page is a link');
    await hostile.answer();
    await page.unroute(/\/popups\?/);
    t.equal(opened.length, 1, 'nor is anything else opened');
    await hostile.hangUp();
    await hostile.wrapUp();
  },
);

await t.test('a login that has ended says so, and what was written is still there', async (t) => {
  const result = page.getByLabel('Result');
  await result.fill('will call ag');
  await setAgent(db, 'astercc', '1001', { password: 'another password' });
  await page.getByText('Your login has ended. Log in again.').waitFor();
  await sound(t, page, 'login ended');
  t.equal(await page.evaluate('document.activeElement.name'), 'password', 'only this is asked');
  await page.keyboard.type('another password');
  await page.keyboard.press('Enter');
  await stateIs(page, 'wrap-up');
  t.equal(await result.inputValue(), 'will call ag');
  await signOutAgent(db, 'astercc', '1001', 'anna');
  await stateIs(page, 'signed-out');
  t.equal(await result.inputValue(), 'will call ag', 'nor does it go with the wrap-up');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.waitForSelector('.popup', { state: 'detached' });
  t.match(await db('popups').where({ call: 'call.4' }).first(), { disposition: 'will call ag' });
});

await t.test('logged out is logged out', async (t) => {
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForSelector('#log-in:not([hidden])');
  await page.reload();
  await page.waitForSelector('#log-in:not([hidden])');
  t.same(problems, []);
});
