/** What people type who come from elsewhere, and what it is called here. */
const commands: Readonly<Record<string, string>> = {
  login: 'star64 agent sign-in <number> --extension <number>',
  'log-in': 'star64 agent sign-in <number> --extension <number>',
  signin: 'star64 agent sign-in <number> --extension <number>',
  logout: 'star64 agent sign-out <number>',
  'log-out': 'star64 agent sign-out <number>',
  logoff: 'star64 agent sign-out <number>',
  signout: 'star64 agent sign-out <number>',
  'sign-in': 'star64 agent sign-in <number> --extension <number>',
  'sign-out': 'star64 agent sign-out <number>',
  pause: 'star64 agent pause <number> --reason <digit>',
  unpause: 'star64 agent ready <number>',
  resume: 'star64 agent ready <number>',
  ready: 'star64 agent ready <number>',
  version: 'star64 --version',
  reload: 'star64 apply',
  activate: 'star64 apply',
  start: 'star64 serve',
  run: 'star64 serve',
  init: 'star64 migrate',
  setup: 'star64 migrate',
  upgrade: 'star64 migrate',
  queue: 'star64 group',
  queues: 'star64 group list',
  phone: 'star64 extension',
  create: 'add',
  new: 'add',
  delete: 'remove',
  rm: 'remove',
  del: 'remove',
  ls: 'list',
  get: 'show',
  edit: 'set',
  update: 'set',
  change: 'set',
  modify: 'set',
};

/** What star64 has not got. */
const absent: Readonly<Record<string, string>> = {
  diff: 'There is none yet: star64 apply goes back by itself if Asterisk does not take the files, and star64 rollback goes back one generation.',
};

/** Options that would carry a secret, which everybody on the machine could read in the list of processes. */
const secrets = new Set(['pin', 'password', 'secret']);

/**
 * An error of the parser as star64 says it: in its own voice, with what to type instead where that is known. What was
 * typed is repeated without control characters, and never the value of an option, which may be a secret.
 */
export function inOurVoice(text: string): string {
  const plain = text
    .replace(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}]/gu, '\ufffd')
    .replace(/^error: /, 'star64: ')
    .replace(/(unknown option '--[\w-]+)=[^]*'/, "$1'");
  const hint = hintFor(plain);
  if (hint === undefined) return plain;
  // Ours knows what was meant, the parser's only what looks alike.
  return `${plain.replace(/\n\(Did you mean [^)]*\)/, '').trimEnd()}\n${hint}\n`;
}

function hintFor(text: string): string | undefined {
  const [, word = ''] = /unknown command '([^']*)'/.exec(text) ?? [];
  const meant = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (meant !== undefined) return `Did you mean: ${meant}?`;
  if (Object.hasOwn(absent, word)) return absent[word];
  const [, option = ''] = /unknown option '--([\w-]+)'/.exec(text) ?? [];
  if (!secrets.has(option)) return undefined;
  return `Type --${option}-stdin and pipe it in, since options show in every list of processes: star64 … --${option}-stdin < file`;
}
