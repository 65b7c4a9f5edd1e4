import { ask, keepLive, Problem, useToken } from './api.js';
import * as clock from './clock.js';
import { $, language, make, said, show, speak, text, word } from './dom.js';

/**
 * `groups`: only these, by their names with commas between; `rotate`: seconds until the next page; the token, if it comes
 * with the address, stands behind the `#`, which no server is sent and no log keeps.
 */
const asked = new URLSearchParams(location.search);
const given = new URLSearchParams(location.hash.slice(1)).get('token');
if (given) {
  useToken(given);
  history.replaceState(null, '', location.pathname + location.search);
}
const only = asked.get('groups')?.split(',').filter(Boolean);
const rotateMs = Math.max(3, Number(asked.get('rotate')) || 15) * 1000;

const page = {
  team: '',
  status: undefined,
  live: false,
  downSince: undefined,
  problem: undefined,
  at: 0,
  turning: true,
};
let connection;

speak(() => draw());

const states = ['idle', 'ringing', 'talking', 'wrap-up', 'paused'];

/**
 * How large groups stand on a page and how many, so that nobody scrolls: as large as all have room, down to the usual size,
 * and then in pages. A telephone scrolls.
 */
function layout(count) {
  if (innerWidth < 700) return { size: Infinity, grow: 1 };
  const root = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const room = (grow) => {
    const columns = Math.max(1, Math.floor((innerWidth / root - 1) / (21 * grow)));
    const rows = Math.max(1, Math.floor((innerHeight / root - 5) / (15.6 * grow)));
    return columns * rows;
  };
  for (let grow = 2.4; grow > 1; grow -= 0.1) if (room(grow) >= count) return { size: count, grow };
  return { size: room(1), grow: 1 };
}

function draw() {
  const { status, live, downSince, problem } = page;
  show($('offline'), downSince !== undefined);
  if (downSince !== undefined)
    text(
      $('offline'),
      `${problem ? `${said(problem)} ` : ''}${word('board_offline', downSince.toLocaleTimeString(language))}`,
    );
  show($('groups'), status !== undefined);
  document.body.classList.toggle('down', status !== undefined && !live);
  if (status === undefined) return;
  document.title = `${status.team} – star64`;
  text($('team'), status.team);
  const counts = Object.fromEntries(states.map((state) => [state, 0]));
  for (const { state } of status.agents) if (state in counts) counts[state]++;
  text($('summary'), agentsText(counts));
  const shown = status.groups.filter(({ name }) => only === undefined || only.includes(name));
  const { size, grow } = layout(shown.length);
  const pages = Math.max(1, Math.ceil(shown.length / Math.max(1, size)));
  page.at = Math.min(page.at, pages - 1);
  page.pages = pages;
  show($('pager'), pages > 1);
  text($('page'), `${page.at + 1} / ${pages}`);
  text($('turning'), word('stop_turning'));
  $('turning').setAttribute('aria-pressed', String(!page.turning));
  const from = size === Infinity ? 0 : page.at * size;
  const visible = shown.slice(from, from + size);
  $('groups').style.setProperty('--grow', String(grow));
  $('groups').replaceChildren(...visible.map((group) => card(group, status)));
  if (visible.length === 0) $('groups').replaceChildren(make('p', { textContent: word('no_groups') }));
  tick();
}

const agentsText = (counts) =>
  states
    .filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${word(`board_${state}`)}`)
    .join(' · ');

function card(group, { service_level: { within_seconds: within } }) {
  const id = `group-${group.name}`;
  const figure = (label, value, className = '') => {
    const dd = make('dd', { textContent: value });
    return [make('div', { className, children: [make('dt', { textContent: word(label) }), dd] }), dd];
  };
  const [waiting] = figure('waiting_label', String(group.waiting), 'big');
  const [longest, clockOf] = figure('longest_label', '–');
  if (group.waiting_since !== null) clockOf.dataset.since = group.waiting_since;
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
  const [level] = figure(
    'level_label',
    group.service_level === null ? '–' : percent.format(group.service_level / 100),
  );
  const [answered] = figure('answered_label', String(group.answered));
  const [abandoned] = figure('abandoned_label', String(group.abandoned));
  const agents = make('ul', {
    className: 'agents',
    children: states
      .filter((state) => group.states[state] > 0)
      .map((state) =>
        make('li', {
          className: state,
          children: [
            make('strong', { textContent: String(group.states[state]) }),
            ` ${word(`board_${state}`)}`,
          ],
        }),
      ),
  });
  const nobody = group.signed_in === 0;
  const section = make('section', {
    className: 'group',
    children: [
      make('h2', { id, textContent: group.name }),
      make('dl', { children: [waiting, longest, level, answered, abandoned] }),
      nobody ? make('p', { className: 'nobody', textContent: word('nobody') }) : agents,
    ],
  });
  section.setAttribute('aria-labelledby', id);
  section.dataset.within = String(within);
  return section;
}

/** Clocks, and how pressing it is: more than the service level allows, and three times that; in words it is the time itself. */
function tick() {
  const { status, live } = page;
  if (status === undefined) return;
  if (live)
    text(
      $('time'),
      new Date(clock.now()).toLocaleTimeString(language, {
        hour: 'numeric',
        minute: '2-digit',
        timeZone: status.time_zone,
      }),
    );
  for (const section of document.querySelectorAll('.group')) {
    const one = section.querySelector('[data-since]');
    if (live && one) text(one, clock.span(clock.since(one.dataset.since)));
    const waited = one && live ? clock.since(one.dataset.since) : 0;
    const within = Number(section.dataset.within);
    section.classList.toggle('late', waited > within && waited <= 3 * within);
    section.classList.toggle('very-late', waited > 3 * within);
  }
}

function begin({ team }) {
  Object.assign(page, { team, status: undefined, live: false, downSince: undefined });
  show($('log-in'), false);
  show($('log-out'), true);
  show($('refusal'), false);
  connection?.stop();
  const root = `teams/${encodeURIComponent(team)}`;
  connection = keepLive(`${root}/events`, {
    read: async () => {
      const status = await ask('GET', root);
      clock.set(status.at);
      Object.assign(page, { status, live: true, downSince: undefined, problem: undefined });
      draw();
    },
    // However much happens: once a second.
    urgent: () => false,
    down: (problem) => {
      page.live = false;
      page.downSince ??= new Date();
      page.problem = problem;
      draw();
    },
    refused: loggedOut,
  });
}

function loggedOut(problem) {
  connection?.stop();
  connection = undefined;
  useToken(undefined);
  Object.assign(page, { status: undefined, live: false, downSince: undefined });
  draw();
  text($('team'), 'star64');
  text($('summary'), '');
  show($('pager'), false);
  show($('log-in'), true);
  show($('log-out'), false);
  refuse(problem);
  $('log-in').team.value ||= asked.get('team') ?? localStorage.getItem('star64-team') ?? '';
}

function refuse(problem) {
  show($('refusal'), problem !== undefined);
  text($('refusal'), problem === undefined ? '' : said(problem));
}

async function logIn(form) {
  const [team, username, password, token] = ['team', 'username', 'password', 'token'].map((name) =>
    form[name].value.trim(),
  );
  if (token !== '') useToken(token);
  else await ask('POST', 'tokens', { team, username, password, cookie: true });
  form.password.value = form.token.value = '';
  begin(await ask('GET', 'me'));
}

$('log-in').addEventListener('submit', (event) => {
  event.preventDefault();
  refuse(undefined);
  logIn(event.target).catch((problem) => {
    useToken(undefined);
    if (!(problem instanceof Problem)) throw problem;
    refuse(problem);
  });
});

$('log-out').addEventListener('click', () => {
  // A machine's token is not ended by a board that has it.
  const isOwn = sessionStorage.getItem('star64-token') === null;
  (isOwn ? ask('DELETE', 'tokens/current') : Promise.resolve()).then(() => loggedOut(undefined), refuse);
});

function turn(by) {
  page.at = (page.at + by + (page.pages ?? 1)) % (page.pages ?? 1);
  draw();
}
$('previous').addEventListener('click', () => turn(-1));
$('next').addEventListener('click', () => turn(1));
$('turning').addEventListener('click', () => {
  page.turning = !page.turning;
  draw();
});
document.addEventListener('keydown', ({ key, target }) => {
  if (target !== document.body) return;
  if (key === 'ArrowLeft') turn(-1);
  if (key === 'ArrowRight') turn(1);
});

setInterval(tick, 500);
// Events are late while somebody writes for long.
setInterval(() => {
  if (page.live) void connection?.refresh();
}, 10_000);
setInterval(() => {
  if (page.turning && (page.pages ?? 1) > 1) turn(1);
}, rotateMs);
addEventListener('resize', draw);

async function start() {
  for (;;) {
    try {
      begin(await ask('GET', 'me'));
      return;
    } catch (problem) {
      if (problem.status === 401) {
        loggedOut(given ? problem : undefined);
        return;
      }
      refuse(problem);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}
void start();
