import { ask, keepLive, Problem } from './api.js';
import * as clock from './clock.js';
import { $, said, show, speak, text, word } from './dom.js';
import { canAct, draw, tick } from './agent-view.js';
import { forget as forgetDirectory, suggest } from './directory.js';
import { popupsComeTo, shownPopups } from './popups.js';

/** What the page shows; `desk` is what the server has said last, and counts as long as `live`. */
const page = { team: '', agent: '', desk: undefined, popups: [], live: false, downSince: undefined };
let connection;
let problemShown;

const root = () => `teams/${encodeURIComponent(page.team)}`;
const own = () => `${root()}/agents/${encodeURIComponent(page.agent)}`;

speak(() => redraw());

function redraw() {
  draw(page);
  if (problemShown) refuse(problemShown);
}

/** Says why something was not done; nothing: it was. */
function refuse(problem) {
  problemShown = problem;
  show($('refusal'), problem !== undefined);
  text($('refusal'), problem === undefined ? '' : said(problem));
}

/** Does what a button says; the same button does nothing more meanwhile. */
async function act(button, work) {
  if (!canAct(button)) return;
  button.setAttribute('aria-busy', 'true');
  refuse(undefined);
  try {
    await work();
    // What was done is told by the stream; it may be seen a little earlier.
    void connection?.refresh();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) loggedOut(problem);
    else refuse(problem);
  } finally {
    button.removeAttribute('aria-busy');
  }
}

async function read(counts) {
  const [desk, popups] = await Promise.all([
    ask('GET', `${own()}/desk`),
    ask('GET', `${root()}/popups?agent=${encodeURIComponent(page.agent)}&limit=10`),
  ]);
  clock.set(desk.at);
  // Something has happened to the agent meanwhile: it is read again, and this is old.
  if (!counts()) return;
  const first = page.desk === undefined;
  // A dynamic agent is looked for at the phones of their address; what was said last time may be another one.
  const { extension } = $('sign-in');
  if (first && desk.agent.kind === 'adaptive')
    extension.value ||= localStorage.getItem('star64-extension') ?? '';
  Object.assign(page, { desk, popups: shownPopups(desk, popups.items), live: true, downSince: undefined });
  draw(page);
  if (popupsComeTo(page, first) === 'blocked')
    refuse({ code: 'popup_blocked', message: word('popup_blocked') });
}

/** What somebody has written here is not for the next one. */
function forget() {
  for (const id of ['send', 'dial', 'sign-in']) $(id).reset();
  $('popups').replaceChildren();
  forgetDirectory($('directory'));
  page.phones = undefined;
}

function begin({ team, agent }) {
  if (page.team !== team || page.agent !== agent) forget();
  Object.assign(page, { team, agent, desk: undefined, popups: [], live: false, downSince: undefined });
  localStorage.setItem('star64-team', team);
  show($('log-in'), false);
  show($('log-out'), true);
  text($('who'), `${agent} · ${team}`);
  refuse(undefined);
  connection?.stop();
  connection = keepLive(`${root()}/events`, {
    read,
    urgent: (type, data) => type.startsWith('popup') || data.agent === page.agent,
    down: (problem) => {
      page.live = false;
      page.downSince ??= new Date();
      page.problem = problem;
      draw(page);
    },
    refused: loggedOut,
  });
  // A net: events are late while somebody writes for long.
  clearInterval(page.timer);
  page.timer = setInterval(() => {
    if (page.live) void connection?.refresh();
  }, 20_000);
}

function loggedOut(problem) {
  connection?.stop();
  connection = undefined;
  clearInterval(page.timer);
  Object.assign(page, { desk: undefined, popups: [], live: false, downSince: undefined });
  draw(page);
  show($('log-in'), true);
  show($('log-out'), false);
  text($('who'), '');
  refuse(problem);
  const form = $('log-in');
  form.team.value ||=
    new URLSearchParams(location.search).get('team') ?? localStorage.getItem('star64-team') ?? '';
  form.agent.value ||= page.agent;
  form.password.value = '';
  [form.team, form.agent, form.password].find(({ value }) => value === '').focus();
}

$('log-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  void act(form.querySelector('button'), async () => {
    const given = {
      team: form.team.value.trim(),
      agent: form.agent.value.trim(),
      password: form.password.value,
    };
    await ask('POST', 'tokens', { ...given, cookie: true });
    form.password.value = '';
    begin(given);
  });
});

$('log-out').addEventListener('click', () => {
  void act($('log-out'), async () => {
    await ask('DELETE', 'tokens/current');
    forget();
    $('log-in').agent.value = page.agent = '';
    loggedOut(undefined);
  });
});

/** Signs in at this extension, or, where nothing is said, where the server finds the agent; else it asks which phone it is. */
const signIn = (button, extension) =>
  act(button, async () => {
    page.phones = undefined;
    try {
      await ask('POST', `${own()}/sign-in`, extension === '' ? {} : { extension });
      if (page.desk.agent.kind === 'dynamic') $('sign-in').reset();
      else if (extension !== '') localStorage.setItem('star64-extension', extension);
    } catch (problem) {
      const { candidates = [], phones = [] } = problem.facts ?? {};
      if (problem.code !== 'phone_wanted' || candidates.length + phones.length === 0) throw problem;
      page.phones =
        candidates.length > 0 ? { asks: 'phones_here', at: candidates } : { asks: 'phones_free', at: phones };
      draw(page);
      $('phones').querySelector('button').focus();
    }
  });

$('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  void signIn($('sign-in-button'), event.target.extension.value.trim());
});
$('phones').addEventListener('click', ({ target }) => {
  const button = target.closest('button');
  if (button) void signIn(button, button.value);
});

/** What the buttons of the state do, by the word of the API. */
const stateActs = {
  pause: () => ask('POST', `${own()}/pause`, $('reason').value === '' ? {} : { reason: $('reason').value }),
  ready: () => ask('POST', `${own()}/ready`),
  'sign-out': () => ask('POST', `${own()}/sign-out`),
};
for (const id of ['primary', 'act-pause', 'act-ready', 'act-sign-out'])
  $(id).addEventListener('click', () => {
    const work = stateActs[$(id).dataset.act];
    if (work) void act($(id), work);
  });

/** A command to the call, for the agent's own phone. */
const command = (verb, more = {}) =>
  ask('POST', `${root()}/calls/${encodeURIComponent(page.desk.call.call)}/${verb}`, more);
const mine = () => ({ from: page.desk.agent.extension });
const leave = () => command('hangup', { party: page.desk.agent.extension });

const callActs = {
  hold: () => command(page.desk.call.held_since === null ? 'hold' : 'resume', mine()),
  'hang-up': leave,
  // Who leaves while they ask somebody leaves these two together.
  'hand-over': leave,
  conference: () => command('conference', mine()),
  back: () => command('back', mine()),
};
for (const [id, work] of Object.entries(callActs))
  $(id).addEventListener('click', () => void act($(id), work));

$('send').addEventListener('submit', (event) => {
  event.preventDefault();
  const button = event.submitter ?? event.target.querySelector('button');
  const { number } = event.target;
  void act(button, async () => {
    await command(button.value, { number: number.value.trim(), ...mine() });
    number.value = '';
  });
});

$('dial').addEventListener('submit', (event) => {
  event.preventDefault();
  const { number } = event.target;
  void act(event.target.querySelector('button'), async () => {
    const to = number.value.trim();
    await ask('POST', `${root()}/calls`, { agent: page.agent, to, id: crypto.randomUUID() });
    number.value = '';
    text($('announce'), word('dialling', to));
  });
});

for (const form of ['send', 'dial'])
  suggest($(form).number, $('directory'), (query) => ask('GET', `${root()}/directory?${query}`));

$('popups').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  void act(form.querySelector('button'), async () => {
    const disposition = form.disposition.value.trim();
    await ask('POST', `${root()}/popups/${encodeURIComponent(form.dataset.popup)}/done`, {
      ...(disposition !== '' && { disposition }),
    });
  });
});

$('auto-open').checked = localStorage.getItem('star64-auto-open') === 'on';
$('auto-open').addEventListener('change', () =>
  localStorage.setItem('star64-auto-open', $('auto-open').checked ? 'on' : 'off'),
);

// By the place of the key: what it writes with Alt differs from one system to the next.
const keys = { KeyR: 'primary', KeyH: 'hold' };
const fields = { KeyK: () => $('send').number, KeyD: () => $('dial').number };
document.addEventListener('keydown', (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
  const button = event.code in keys ? $(keys[event.code]) : undefined;
  const field = fields[event.code]?.();
  if (!button && !field) return;
  event.preventDefault();
  if (button && button.checkVisibility()) button.click();
  else if (field?.checkVisibility()) field.focus();
});

setInterval(() => tick(page), 250);

// Who is there already, by the cookie.
async function start() {
  for (;;) {
    try {
      const me = await ask('GET', 'me');
      if (me.agent) begin(me);
      else {
        loggedOut({ code: 'not_an_agent', message: word('not_an_agent') });
      }
      return;
    } catch (problem) {
      if (problem.status === 401) {
        loggedOut(undefined);
        return;
      }
      refuse(problem);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}
void start();
