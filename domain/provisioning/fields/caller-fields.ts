import { name, whole, yesNo } from './description.js';

/** The fields of what callers of a group hear again and again while they wait. */
export const announcements = {
  announcePosition: yesNo({
    help: 'whether callers hear their place in the queue, while no agent is free',
    unless: 'off',
    listed: false,
  }),
  announceWait: yesNo({
    help: "whether callers hear how long it may take: Asterisk's own estimate, of the last callers who were answered, in minutes",
    unless: 'off',
    listed: false,
  }),
  announceSeconds: whole(
    { from: 15, to: 3600 },
    {
      what: 'time between two announcements',
      option: 'announce-every',
      placeholder: 'seconds',
      help: 'after how many seconds place and wait are said again; a new place is said after 15',
      unless: '60',
      listed: false,
    },
  ),
  periodicSound: name('sound', {
    what: 'periodic announcement',
    option: 'periodic',
    placeholder: 'sound',
    help: 'your own sound file, which callers hear again and again while no agent is free',
    none: 'no periodic announcement',
    listed: false,
  }),
  periodicSeconds: whole(
    { from: 10, to: 3600 },
    {
      what: 'time between two periodic announcements',
      option: 'periodic-every',
      placeholder: 'seconds',
      help: 'after how many seconds the periodic announcement is heard, and heard again',
      unless: '60',
      listed: false,
    },
  ),
};

/** The fields of how those are called back who do not want to wait. */
export const callbacks = {
  callbackKey: whole(
    { from: 0, to: 9 },
    {
      what: 'callback key',
      placeholder: 'key',
      help: 'a caller who presses it while they wait is called back, and keeps their place; a key that leads nowhere else',
      none: 'nobody is called back',
      listed: false,
    },
  ),
  callbackSound: name('sound', {
    what: 'callback announcement',
    option: 'callback-sound',
    placeholder: 'sound',
    help: "your own sound file that offers it, heard before a caller waits; without it Asterisk's own words",
    none: "Asterisk's own words",
    listed: false,
  }),
  callbackMinutes: whole(
    { from: 1, to: 10_080 },
    {
      what: 'time until a callback expires',
      option: 'callback-expires',
      placeholder: 'minutes',
      help: 'after so many minutes nobody is called back any more, nor once the group closes',
      unless: '240',
      listed: false,
    },
  ),
  callbackLimit: whole(
    { from: 1, to: 1000 },
    {
      what: 'most callbacks',
      option: 'callback-limit',
      placeholder: 'callers',
      help: 'how many are to be called back at a time; beyond that it is offered to nobody, and the key keeps a caller in the queue',
      unless: '50',
      listed: false,
    },
  ),
  callbackTries: whole(
    { from: 1, to: 10 },
    {
      what: 'tries of a callback',
      option: 'callback-tries',
      placeholder: 'calls',
      help: 'how often somebody is called at most who does not answer, 10 minutes apart',
      unless: '3',
      listed: false,
    },
  ),
};
