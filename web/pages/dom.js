import { languages, words } from './words.js';

export const $ = (id) => document.getElementById(id);

const wanted = [
  new URLSearchParams(location.search).get('lang'),
  localStorage.getItem('star64-language'),
  ...navigator.languages,
];
export let language =
  wanted.map((one) => one?.slice(0, 2).toLowerCase()).find((one) => one && one in words) ?? 'en';

/** A text in the page's language; `{0}` and so on are filled. */
export const word = (key, ...values) =>
  (words[language][key] ?? words.en[key] ?? key).replace(/\{(\d)\}/g, (_, at) => String(values[at] ?? ''));

/** Writes the texts of the page, and offers the languages. `changed`: another one was chosen. */
export function speak(changed) {
  const write = () => {
    document.documentElement.lang = language;
    for (const element of document.querySelectorAll('[data-word]')) text(element, word(element.dataset.word));
    for (const element of document.querySelectorAll('[data-label]'))
      element.setAttribute('aria-label', word(element.dataset.label));
  };
  const select = $('language');
  select.replaceChildren(
    ...Object.entries(languages).map(([code, name]) => {
      const option = new Option(name, code, code === language, code === language);
      option.lang = code;
      return option;
    }),
  );
  select.addEventListener('change', () => {
    language = select.value;
    localStorage.setItem('star64-language', language);
    write();
    changed();
  });
  write();
}

/** Touches the page only where something changes, so that screen readers and the cursor stay where they are. */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** What a refusal says, in the page's language where it has words for it. */
export function said(problem) {
  // A login that ended long ago has left no cookie.
  const key = `problem_${problem.code === 'token_wanted' ? 'token_unknown' : problem.code}`;
  if (key in words.en) return word(key, problem.retryAfter ?? '');
  if (problem.status === 503) return word('problem_unavailable');
  return problem.message;
}

/** An element with a class, a text, and what is in it. */
export function make(name, { children = [], ...properties } = {}) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}
