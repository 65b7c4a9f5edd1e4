import { numberClasses } from '../../number-classes.js';
import { choice, describe, name } from '../fields/description.js';

/** Which class numbers have that begin so, where a team knows better than the numbering plan. */
export const numberClass = describe({
  noun: 'number-class',
  table: 'number_classes',
  inFiles: true,
  title: 'number classes: of which class numbers are, where the team knows better than the numbering plan',
  verbs: {
    add: 'say of which class numbers are that begin so; of several beginnings the longest holds',
    list: 'list the beginnings of the team',
    show: 'show a beginning',
    set: 'change the class of numbers that begin so',
    remove: 'remove a beginning; its numbers have the class of the numbering plan again',
  },
  key: 'beginning',
  owner: 'team',
  order: 'o.beginning',
  fields: {
    beginning: name('number-class', {
      help: 'as people of the team dial it: +371, 0032, 0180 or the whole of a short number, 115',
    }),
    class: choice(numberClasses, {
      what: 'class of numbers',
      placeholder: 'class',
      help: 'national, mobile, international or premium',
      required: true,
      argument: true,
    }),
  },
});
