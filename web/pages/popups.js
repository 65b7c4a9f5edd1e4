import { $, make, show, text, word } from './dom.js';

/** What an application says may be opened: a page, and no script or file. */
const isLink = (link) => typeof link === 'string' && /^https?:\/\//i.test(link) && URL.canParse(link);
/** What stands in the card of a popup, if it is there. */
const written = (id) => $('popups').querySelector(`form[data-popup="${id}"]`)?.disposition.value.trim() ?? '';
/** Popups that have come to this page. */
const seen = new Set();

/**
 * Those whose call goes on; in the wrap-up after it the one that can still be done, which ends it; and whatever an agent has
 * begun to write in, however the wrap-up has ended.
 */
export function shownPopups({ agent }, popups) {
  const last = popups[0]?.id;
  return popups.filter(
    ({ id, closed_at: closed, done_at: done }) =>
      closed === null ||
      (done === null && ((agent.state === 'wrap-up' && id === last) || written(id) !== '')),
  );
}

/** Says, and opens if the agent wants that, those that are new: `blocked` if the browser did not. `first`: the page has just begun. */
export function popupsComeTo({ popups }, first) {
  let blocked;
  for (const popup of popups) {
    if (seen.has(popup.id)) continue;
    seen.add(popup.id);
    text($('popup-announce'), word('popup_opened', popup.caller ?? word('unknown_caller')));
    if (isToOpen(popup, first) && !open(popup.link)) blocked = 'blocked';
  }
  return blocked;
}

/** Of several tabs one opens it; and one that is there as the page is opened has been opened before. */
function isToOpen({ id, link }, first) {
  const before = JSON.parse(localStorage.getItem('star64-opened') ?? '[]');
  if (before.includes(id)) return false;
  localStorage.setItem('star64-opened', JSON.stringify([...before, id].slice(-50)));
  return !first && $('auto-open').checked && isLink(link);
}

/** In a tab that learns nothing of this one. */
function open(link) {
  const opened = window.open('about:blank', '_blank');
  if (!opened) return false;
  opened.opener = null;
  opened.location.replace(link);
  return true;
}

/** One card each, which stays as it is while the popup does: somebody may be writing in it. */
export function drawPopups({ popups }) {
  const section = $('popups');
  show(section, popups.length > 0);
  for (const card of [...section.children])
    if (!popups.some(({ id }) => String(id) === card.dataset.popup)) card.remove();
  for (const popup of popups) {
    const id = String(popup.id);
    let card = [...section.children].find((one) => one.dataset.popup === id);
    if (!card) {
      card = popupCard(popup);
      card.dataset.popup = id;
      section.append(card);
    }
    text(
      card.querySelector('h2'),
      word('popup_title', popup.caller ?? popup.number ?? word('unknown_caller')),
    );
    text(card.querySelector('p'), [popup.group, popup.binding, popup.extension].filter(Boolean).join(' · '));
    const link = card.querySelector('a');
    if (link) text(link, word('open_popup'));
    text(card.querySelector('label span'), word('disposition'));
    text(card.querySelector('button'), word('done'));
  }
}

function popupCard(popup) {
  const id = `popup-${popup.id}`;
  const link = isLink(popup.link)
    ? [
        make('p', {
          className: 'link',
          children: [
            make('a', {
              href: popup.link,
              target: '_blank',
              rel: 'noopener noreferrer',
              className: 'button primary',
            }),
          ],
        }),
      ]
    : [];
  const form = make('form', {
    className: 'acts',
    children: [
      make('label', {
        className: 'field',
        children: [make('span'), make('input', { name: 'disposition', maxLength: 80, autocomplete: 'on' })],
      }),
      make('button'),
    ],
  });
  form.dataset.popup = String(popup.id);
  const card = make('article', {
    className: 'card popup',
    children: [make('h2', { id }), make('p', { className: 'detail' }), ...link, form],
  });
  card.setAttribute('aria-labelledby', id);
  return card;
}
