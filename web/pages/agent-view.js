import * as clock from './clock.js';
import { $, language, make, said, show, text, word } from './dom.js';
import { drawPopups } from './popups.js';

/** Signs of the states, beside their words and colours. */
const glyphs = {
  'signed-out': '○',
  idle: '✓',
  ringing: '☎',
  talking: '●',
  'wrap-up': '✎',
  paused: '❚❚',
  unknown: '?',
};

/** The one sensible thing to do next in a state: the act and its word. */
const nextActs = {
  idle: ['pause', 'pause'],
  paused: ['ready', 'ready'],
  'wrap-up': ['ready', 'end_wrap_up'],
};
/** What else can be done in a state. */
const otherActs = {
  idle: ['sign-out'],
  paused: ['sign-out'],
  'wrap-up': ['pause', 'sign-out'],
  talking: [],
  ringing: [],
};

/** Whether a button does something now. */
export const canAct = (button) =>
  button.getAttribute('aria-disabled') !== 'true' && button.getAttribute('aria-busy') !== 'true';

const enable = (button, enabled) => {
  if (enabled) button.removeAttribute('aria-disabled');
  else button.setAttribute('aria-disabled', 'true');
};

/** A button that has just become another one is not pressed by a finger that was on its way to the one before. */
let settling;
function primary(act, label, live) {
  const button = $('primary');
  show(button, act !== undefined);
  const changed = act !== undefined && button.dataset.act !== act;
  text(button, label ?? '');
  if (changed) {
    button.dataset.act = act;
    clearTimeout(settling);
    enable(button, false);
    settling = setTimeout(() => {
      settling = undefined;
      enable(button, button.dataset.live === 'true');
    }, 350);
  }
  if (act === undefined) delete button.dataset.act;
  button.dataset.live = String(live);
  if (settling === undefined) enable(button, live);
}

const time = (date) =>
  date.toLocaleTimeString(language, { hour: 'numeric', minute: '2-digit', second: '2-digit' });

/** Shows all of it. Where nothing is live the state is not known, and is said so. */
export function draw(page) {
  const { desk, live, downSince } = page;
  show($('offline'), downSince !== undefined);
  if (downSince !== undefined)
    text($('offline'), `${page.problem ? `${said(page.problem)} ` : ''}${word('offline', time(downSince))}`);
  show($('desk'), desk !== undefined);
  document.body.classList.toggle('down', desk !== undefined && !live);
  document.title =
    desk === undefined ? 'star64' : `${word(`state_${live ? desk.agent.state : 'unknown'}`)} – star64`;
  if (desk === undefined) return;
  drawState(desk, live, downSince);
  drawSignIn(page);
  drawCall(desk);
  drawPopups(page);
  drawToday(desk);
  drawQueues(desk);
  show($('dial'), ['idle', 'paused', 'wrap-up'].includes(desk.agent.state));
  for (const button of document.querySelectorAll('#desk button:not(#primary)')) enable(button, live);
  tick(page);
}

function drawState({ agent, pause_reasons: reasons }, live, downSince) {
  const { state } = agent;
  const shown = live ? state : 'unknown';
  const card = $('state-card');
  const before = card.dataset.state;
  card.dataset.state = shown;
  text($('state'), word(`state_${shown}`));
  text($('glyph'), glyphs[shown]);
  const detail = !live
    ? [word('last_known', word(`state_${state}`), time(downSince ?? new Date()))]
    : [
        state === 'ringing' ? word('pick_up') : undefined,
        state === 'paused' ? agent.reason : undefined,
        state === 'wrap-up' ? agent.group : undefined,
        agent.extension === null ? undefined : word('at_extension', agent.extension),
      ];
  text($('state-detail'), detail.filter(Boolean).join(' · '));
  if (before !== undefined && before !== shown) text($('announce'), word(`state_${shown}`));

  const signedOut = state === 'signed-out';
  show($('acts'), !signedOut);
  const [act, label] = nextActs[state] ?? [];
  primary(act, label && word(label), live);
  const others = otherActs[state] ?? [];
  for (const each of ['pause', 'ready', 'sign-out']) show($(`act-${each}`), others.includes(each));
  const mayPause = act === 'pause' || others.includes('pause');
  show($('reason-line'), mayPause && reasons.length > 0);
  const options = JSON.stringify([language, reasons]);
  const select = $('reason');
  if (select.dataset.options === options) return;
  select.dataset.options = options;
  const chosen = select.value;
  select.replaceChildren(
    new Option(word('no_reason'), ''),
    ...reasons.map(({ digit, name }) => new Option(name, digit)),
  );
  if (reasons.some(({ digit }) => digit === chosen)) select.value = chosen;
}

/** Where an agent signs in: a fixed one has one phone, and of several that could be meant one is chosen. */
function drawSignIn({ desk: { agent }, phones }) {
  const signedOut = agent.state === 'signed-out';
  show($('sign-in'), signedOut);
  show($('extension-line'), agent.kind !== 'fixed');
  show($('phones'), signedOut && phones !== undefined);
  if (phones === undefined) return;
  text($('phones-title'), word(phones.asks));
  const list = $('phones').querySelector('.acts');
  const at = phones.at.join();
  if (list.dataset.at === at) return;
  list.dataset.at = at;
  list.replaceChildren(
    ...phones.at.map((value) => make('button', { type: 'button', value, textContent: value })),
  );
}

function drawCall({ agent, call }) {
  show($('call'), call !== null);
  show($('consult'), call !== null && call.consult !== null);
  if (call === null) return;
  const talking = agent.state === 'talking';
  text(
    $('call-title'),
    call.group !== null && (agent.call_kind === 'queue' || agent.call_kind === null)
      ? word('call_queue', call.group)
      : word(`call_${call.direction}`),
  );
  text($('caller'), (call.direction === 'out' ? call.number : call.caller) || word('unknown_caller'));
  text($('call-detail'), call.did ? word('called_number', call.did) : '');
  const held = call.held_since !== null;
  show($('held'), held);
  text($('hold'), word(held ? 'resume' : 'hold'));
  const consulting = call.consult !== null;
  show($('hold'), talking && !consulting);
  show($('hang-up'), talking && !consulting);
  show($('send'), talking && !consulting);
  if (!consulting) return;
  const { number } = call.consult;
  text($('consult-title'), number === null ? word('consulting_somebody') : word('consulting', number));
}

function drawToday({ today }) {
  const figures = [
    ['own_answered', today.answered],
    ['own_missed', today.missed],
    ['own_calls', today.own_calls],
    ['own_talking', clock.span(today.talking_seconds)],
    ['own_wrap_up', clock.span(today.wrap_up_seconds)],
    ['own_paused', clock.span(today.paused_seconds)],
  ];
  $('today').replaceChildren(
    ...figures.map(([key, value]) =>
      make('div', {
        children: [make('dt', { textContent: word(key) }), make('dd', { textContent: String(value) })],
      }),
    ),
  );
}

function drawQueues({ groups }) {
  const list = $('queues');
  list.replaceChildren(
    ...groups.map(({ name, waiting, waiting_since: from }) => {
      const longest = make('span', { className: 'longest' });
      if (from !== null) longest.dataset.since = from;
      return make('li', {
        className: waiting > 0 ? 'some' : '',
        children: [
          make('strong', { textContent: name }),
          make('span', { textContent: word('waiting', waiting) }),
          longest,
        ],
      });
    }),
  );
  if (groups.length === 0) list.replaceChildren(make('li', { textContent: word('no_queues') }));
}

/** What goes on by itself: the clocks, by the server's time. Where nothing is live they stand still. */
export function tick({ desk, live }) {
  if (desk === undefined) return;
  const { agent, call } = desk;
  const known = live && agent.since !== null;
  text($('clock'), known ? clock.span(clock.since(agent.since)) : '–');
  show($('clock-line'), known || !live);
  show($('countdown-line'), known && agent.until !== null);
  if (known && agent.until !== null) text($('countdown'), clock.span(clock.until(agent.until)));
  if (!live) return;
  if (call?.held_since) text($('held-clock'), clock.span(clock.since(call.held_since)));
  if (call?.consult) text($('consult-clock'), clock.span(clock.since(call.consult.since)));
  for (const one of document.querySelectorAll('[data-since]'))
    text(one, word('longest', clock.span(clock.since(one.dataset.since))));
}
