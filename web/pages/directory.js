import { make } from './dom.js';

/** Nobody is asked for each letter of somebody who types. */
const restMs = 250;
/** More than one looks through: whoever wants another types on. */
const most = 20;

/** Of the question that was asked last: what an older one says later does not count. */
let asked = 0;

/** Whatever is still asked says nothing any more, as who was at the page has gone. */
export function forget(list) {
  asked++;
  list.replaceChildren();
}

/**
 * Offers, below the field, whom one can call by what is typed there: the beginning of a number, or some of a name. A field takes
 * every number all the same, also when nobody answers. `ask`: asks the directory, by its query.
 */
export function suggest(field, list, ask) {
  let timer;
  const look = async () => {
    const question = ++asked;
    const query = new URLSearchParams({ q: field.value.trim(), limit: String(most) });
    const { items } = await ask(query).catch(() => ({}));
    if (items === undefined || question !== asked) return;
    list.replaceChildren(
      ...items.map(({ number, name }) => make('option', { value: number, label: name ?? number })),
    );
  };
  field.addEventListener('focus', () => void look());
  field.addEventListener('input', ({ inputType }) => {
    clearTimeout(timer);
    // One of them was chosen, and not typed.
    if (inputType === undefined || inputType === 'insertReplacementText') return;
    timer = setTimeout(() => void look(), restMs);
  });
}
