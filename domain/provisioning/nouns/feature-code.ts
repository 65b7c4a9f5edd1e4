import { choice, describe, name } from '../fields/description.js';

/** What can be done at a phone by a code; the words are the database's. */
export const features = [
  'sign-in',
  'sign-out',
  'pause',
  'ready',
  'work-mode',
  'current-group',
  'status',
  'waiting',
  'hours-switch',
  'call-agent',
  'hide-number',
  'listen',
  'whisper',
  'barge',
  'agent-control',
] as const;
export type Feature = (typeof features)[number];
/** Those of group administrators: listen to a call, whisper to its agent, talk with both; and sign agents out. */
export const supervisionFeatures = [
  'listen',
  'whisper',
  'barge',
  'agent-control',
] as const satisfies readonly Feature[];
/** Those to which a call can be sent: the others are dialled before a number, or by an administrator at a phone. */
export const destinationFeatures = features.filter(
  (feature) => feature !== 'hide-number' && !supervisionFeatures.some((one) => one === feature),
);

/** What phones of a team dial for a feature. Several codes for one feature are aliases; none disables it. */
export const featureCode = describe({
  noun: 'feature-code',
  table: 'feature_codes',
  inFiles: true,
  title: 'feature codes: what phones of the team dial for what',
  verbs: {
    add: 'create a code for a feature, beside those that it has',
    list: 'list the feature codes of the team',
    show: 'show a feature code',
    set: 'change what a code does, or what is dialled for it',
    remove: 'remove a feature code; without any, the feature is disabled in the team',
  },
  key: 'code',
  owner: 'team',
  goesWithTeam: true,
  dated: false,
  // In the order of the list above.
  order: `array_position(array[${features.map((feature) => `'${feature}'`).join()}], o.feature), length(o.code), o.code`,
  fields: {
    code: name('feature-code', {
      help: "what is dialled, for example '*68' (in quotes: a shell looks for files with a star)",
      on: 'set',
    }),
    feature: choice(features, { placeholder: 'feature', help: features.join(', '), required: true }),
  },
});
