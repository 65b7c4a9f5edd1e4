import t from 'tap';
import { pino } from 'pino';
import { setAgent } from '../../../domain/provisioning/people/agent.js';
import { crowd, provision } from '../../../lab/provision.js';
import { createWeb } from '../../../web/server.js';
import { needBrowser, openBrowser, type Page } from '../../support/doors/browser.js';
import { until } from '../../../domain/machine/processes.js';
import { callIn } from '../../support/calls.js';
import { centreOf, dialAndHear, dialled } from '../../support/centre.js';
import { waitJoined } from '../../support/phones/in-call.js';

/**
 * An agent with the page, real telephones beside it: first everything is done on the page, then the same by the keys of the
 * telephone alone, and the page follows. A second team has its own agent of the same number on the page, and sees nothing.
 */
await needBrowser(t);
const password = 'a long password';
const group = {
  wrapUp: 'answer',
  wrapUpSeconds: 300,
  directCalls: 'talking',
  application: 'third_party',
} as const;
const centre = await centreOf(
  t,
  crowd(3, { groups: [{ name: 'support', number: '6000', ...group, link: 'https://crm.example/{caller}' }] }),
  {
    asterisk: { amiWrite: 'agent,call,reporting,originate' },
    provision: async (db) => {
      await provision(db, crowd(1, { team: 'other', did: '600200' }));
      for (const team of ['astercc', 'other']) await setAgent(db, team, '1001', { password });
    },
  },
);
const web = await createWeb(centre.db, pino({ enabled: false }), { version: '0' });
t.teardown(() => web.close());
const address = await web.listen({ host: '127.0.0.1', port: 0 });
const open = await openBrowser(t);
const [anna, expert] = [await centre.phone('5001'), await centre.phone('5003', { mode: 'auto' })];

const stateIs = (page: Page, state: string): Promise<unknown> =>
  page.waitForSelector(`#state-card[data-state="${state}"]`);

/** Somebody who is logged in at the page, and all that their stream has told them. */
async function loggedIn(team: string): Promise<{ page: Page; told: string[] }> {
  const { page } = await open();
  const told: string[] = [];
  await page.goto(`${address}/agent?team=${team}`);
  await page.locator('#log-in [name=agent]').fill('1001');
  await page.locator('#log-in [name=password]').fill(password);
  await page.keyboard.press('Enter');
  await stateIs(page, 'signed-out');
  page.on('response', (response) => {
    if (response.request().url().includes('/desk'))
      void response.text().then(
        (text) => told.push(text),
        () => undefined,
      );
  });
  return { page, told };
}

const { page } = await loggedIn('astercc');
const stranger = await loggedIn('other');

await t.test('signed in, rung with a popup, consulted, handed over and done, all on the page', async (t) => {
  await page.locator('#sign-in [name=extension]').fill('5001');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await stateIs(page, 'idle');

  const customer = await callIn(centre);
  await anna.incoming();
  await stateIs(page, 'ringing');
  const link = page.getByRole('link', { name: 'Open the customer’s page' });
  await link.waitFor();
  t.equal(await link.getAttribute('href'), 'https://crm.example/4930555', 'while the telephone rings');
  await anna.answer();
  await stateIs(page, 'talking');
  t.equal(await page.textContent('#caller'), '4930555');

  const seen = expert.events.length;
  await page.getByLabel('Number to ask or to send to').fill('5003');
  await page.getByRole('button', { name: 'Ask first' }).click();
  await expert.event(/^CALL_ESTABLISHED$/, { from: seen });
  await page.getByRole('heading', { name: 'You ask 5003' }).waitFor();
  await page.getByRole('button', { name: 'Hand over' }).click();
  await stateIs(page, 'wrap-up');
  await until('the customer alone to talk there', async () =>
    (await centre.db('calls').whereNull('ended_at')).length === 1 ? true : undefined,
  );
  t.match(await page.textContent('#countdown'), /^(5:00|4:[0-5][0-9])$/);
  await page.getByLabel('Result').fill('sold');
  await page.getByRole('button', { name: 'Done' }).click();
  await stateIs(page, 'idle');
  t.match(await centre.db('popups').first<object>(), { disposition: 'sold' });
  await customer.hangup();
  await expert.closed();
});

await t.test('each other button of a call does what it says, and the page shows it', async (t) => {
  const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
  const number = page.getByLabel('Number to ask or to send to');
  const asked = async (button: string): Promise<void> => {
    const seen = expert.events.length;
    await number.fill('5003');
    await press(button);
    await expert.event(/^CALL_ESTABLISHED$/, { from: seen });
  };
  const gone = (text: string): Promise<unknown> => page.getByText(text).waitFor({ state: 'hidden' });

  const before = expert.events.length;
  await page.getByLabel('Number', { exact: true }).fill('5003');
  await press('Call');
  await anna.incoming();
  // It registers again now and then.
  const called = expert.events.slice(before).filter(({ type }) => type.startsWith('CALL_'));
  t.same(called, [], 'nobody is called before the agent has answered');
  await anna.answer();
  await stateIs(page, 'talking');
  await page.getByText('Call within the team').waitFor();
  await expert.event(/^CALL_ESTABLISHED$/, { from: before });
  await press('Hang up');
  await anna.closed();
  await expert.closed();
  await stateIs(page, 'idle');

  const customer = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await stateIs(page, 'talking');
  await press('Hold');
  await page.getByText('On hold').waitFor();
  await press('Take back');
  await gone('On hold');
  await asked('Ask first');
  await press('Back to the caller');
  await gone('You ask 5003');
  await expert.closed();
  await asked('Ask first');
  await press('All three');
  await gone('You ask 5003');
  await press('Hang up');
  await stateIs(page, 'wrap-up');
  await customer.hangup();
  await expert.closed();
  await press('End wrap-up');
  await stateIs(page, 'idle');

  const next = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await stateIs(page, 'talking');
  await asked('Transfer');
  await stateIs(page, 'wrap-up');
  await next.hangup();
  await press('End wrap-up');
  await stateIs(page, 'idle');
});

await t.test('the next by keys alone, and the page follows', async () => {
  const customer = await callIn(centre);
  await anna.incoming();
  await stateIs(page, 'ringing');
  const from = await centre.asterisk.verbose.mark();
  await anna.answer();
  await stateIs(page, 'talking');
  await waitJoined(centre, anna, from);
  await anna.digits('*7');
  await page.getByText('On hold').waitFor();
  await anna.digits('*7');
  await page.waitForSelector('#held', { state: 'hidden' });
  await anna.digits('*15003');
  await anna.closed();
  await stateIs(page, 'wrap-up');
  await customer.hangup();
  await dialAndHear(centre, anna, '*67', 'activated');
  await stateIs(page, 'idle');
  await dialled(centre, anna, '*65');
  await stateIs(page, 'signed-out');
});

await t.test('the other team has seen nothing of it', async (t) => {
  t.equal(await stranger.page.getAttribute('#state-card', 'data-state'), 'signed-out');
  // After the last call, whatever the page has asked meanwhile.
  const now = await stranger.page
    .evaluate(`Promise.all(['agents/1001/desk', 'popups', 'calls', 'events?since=3600'].map((path) =>
      fetch('/v1/teams/other/' + path).then(async (answer) => answer.status + await answer.text())))`);
  for (const answer of now as string[]) t.match(answer, /^200\{/);
  t.notMatch([...stranger.told, ...(now as string[])].join(), /4930555|astercc|"waiting":[1-9]/);
  const own = await stranger.page
    .evaluate(`Promise.all(['agents/1001/desk', 'popups', 'calls', 'events?since=600', 'directory']
    .map((path) => fetch('/v1/teams/astercc/' + path).then(({ status }) => status)))`);
  t.same(own, [404, 404, 404, 404, 404]);
});
