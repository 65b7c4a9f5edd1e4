import type { Console } from './console.js';
import type { Contents } from './contents.js';
import type { Part } from './parts.js';

/** What Asterisk has of one part of a generation. */
export interface Loaded {
  /** It has read this content, to its end. */
  marked: boolean;
  /** Names of queues or phones that it should have and has not. */
  missing: string[];
  /** Something of ours is there: the operator's file takes ours in. */
  included: boolean;
}

/** The generation that the loaded dialplan names; undefined where it names none. */
export async function loadedGeneration(console: Console): Promise<string | undefined> {
  return /^ *'(g[0-9a-f]{16})' =>/m.exec(await console('dialplan show star64-generation'))?.[1];
}

/** Reads back what Asterisk has of a part. */
export async function look(
  console: Console,
  part: Part,
  { marks, queues, phones, rules }: Contents,
): Promise<Loaded> {
  const mark = marks[part];
  switch (part) {
    case 'dialplan': {
      const marked = (await loadedGeneration(console)) === mark;
      const included = marked || /Context 'star64-code'/.test(await console('dialplan show star64-code'));
      return { marked, missing: [], included };
    }
    case 'queues': {
      const there = names(await console('queue show'), /^(\S+) has [0-9]+ calls /gm);
      return compare(queues, there, mark === undefined || there.has(mark), /^star64-queues-/);
    }
    case 'rules': {
      // Nobody needs to take in a file in which nothing is.
      if (rules.size === 0) return { marked: true, missing: [], included: true };
      return compare(rules, rulesIn(rules, await console('queue show rules')), true, /^star64-/);
    }
    case 'features': {
      // A generation of before there were such files has nothing to be there.
      if (mark === undefined) return { marked: true, missing: [], included: true };
      const there = names(await console('features show'), /^===> Group: (\S+)/gm);
      return { marked: there.has(mark), missing: [], included: there.has('star64-called') };
    }
    case 'phones': {
      const there = names(await console('pjsip list endpoints'), /^ *Endpoint: +([^\s/<]+)/gm);
      const places = names(await console('pjsip list aors'), /^ *Aor: +(star64-phones-\S+)/gm);
      return compare(
        phones,
        new Set([...there, ...places]),
        mark === undefined || places.has(mark),
        /^star64-phones-/,
      );
    }
  }
}

function compare(
  wanted: ReadonlyMap<string, string>,
  there: ReadonlySet<string>,
  marked: boolean,
  ours: RegExp,
): Loaded {
  const missing = [...wanted.keys()].filter((name) => !there.has(name));
  const included = missing.length < wanted.size || [...there].some((name) => ours.test(name));
  return { marked, missing, included };
}

/** Names of the rules that Asterisk has as they are in the file. */
function rulesIn(rules: ReadonlyMap<string, string>, text: string): Set<string> {
  const there = new Map(
    [...text.matchAll(/^Rule: (\S+)\n\tAfter ([0-9]+) seconds/gm)].map(([, name = '', seconds = '']) => [
      name,
      seconds,
    ]),
  );
  const wanted = [...rules].filter(
    ([name, rule]) => there.get(name) === /^penaltychange => ([0-9]+),/m.exec(rule)?.[1],
  );
  return new Set(wanted.map(([name]) => name));
}

const names = (text: string, pattern: RegExp): Set<string> =>
  new Set([...text.matchAll(pattern)].map(([, name = '']) => name));

/** Reads a part anew, as an operator would. Asterisk's text says whether it has tried, not whether it liked what it read. */
export async function reload(console: Console, part: Part): Promise<string | undefined> {
  const [command, done] = {
    dialplan: ['dialplan reload', /reloaded/],
    queues: ['module reload app_queue.so', /reloaded successfully/],
    rules: ['module reload app_queue.so', /reloaded successfully/],
    features: ['module reload features', /reloaded successfully/],
    phones: ['module reload res_pjsip.so', /reloaded successfully/],
  }[part] as [string, RegExp];
  const text = await console(command);
  return done.test(text) || /reload in progress|queued/.test(text)
    ? undefined
    : `"${command}" says: ${text.trim() || 'nothing'}`;
}

/** Directories of the running Asterisk. */
export async function directoriesOf(console: Console): Promise<{ configuration: string; log: string }> {
  const text = await console('core show settings');
  const named = (name: string, usual: string): string =>
    new RegExp(`^ *${name} directory: +(/.*?) *$`, 'm').exec(text)?.[1] ?? usual;
  return {
    configuration: named('Configuration', '/etc/asterisk'),
    log: named('Log', '/var/log/asterisk'),
  };
}
