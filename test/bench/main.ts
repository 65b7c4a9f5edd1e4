/** `npm run bench`: a table on standard output, progress on standard error; `--quick` for a rough look. */
import { writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCalls, type CallSettings } from './calls.js';
import { measureCallsOut, type CallOutSettings } from './calls-out.js';
import { measureFastAgi, type AgiSettings } from './fastagi.js';
import { measurePhones, type PhoneSettings } from './phone.js';
import { measureQuestions, type QuestionSettings } from './questions.js';
import { tables, type Machine, type Results } from './report.js';

interface Settings {
  fastAgi: AgiSettings;
  questions: QuestionSettings;
  calls: CallSettings;
  out: CallOutSettings;
  phones: PhoneSettings;
}

const full: Settings = {
  fastAgi: { concurrencies: [1, 50, 500], rounds: 9, sliceMs: 1000 },
  questions: { perSecond: 50, seconds: 10, rounds: 5 },
  calls: {
    rounds: 5,
    sliceSeconds: 10,
    rates: { asterisk: 50, extension: 20, group: 10 },
    climb: { from: 50, factor: 1.25, seconds: 5 },
  },
  out: { rounds: 5, sliceSeconds: 10, rate: 20 },
  phones: {
    size: { agents: 1000, groups: 50, servers: 3 },
    signIns: {
      rounds: [
        { concurrency: 1, agents: 200 },
        { concurrency: 50, agents: 1000 },
      ],
    },
    states: { concurrencies: [1, 10], pauses: 3000 },
    wrapUps: { rounds: 3, spreads: [10, 0] },
  },
};

const quick: Settings = {
  fastAgi: { concurrencies: [1, 50, 500], rounds: 3, sliceMs: 500 },
  questions: { perSecond: 50, seconds: 4, rounds: 1 },
  calls: {
    rounds: 1,
    sliceSeconds: 4,
    rates: { asterisk: 50, extension: 20, group: 10 },
    climb: { from: 100, factor: 1.5, seconds: 2 },
  },
  out: { rounds: 1, sliceSeconds: 4, rate: 20 },
  phones: {
    size: { agents: 100, groups: 10, servers: 3 },
    signIns: { rounds: [{ concurrency: 10, agents: 100 }] },
    states: { concurrencies: [10], pauses: 500 },
    wrapUps: { rounds: 1, spreads: [0] },
  },
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  allowPositionals: true,
});
const parts = positionals.length > 0 ? positionals : ['fastagi', 'questions', 'calls', 'out', 'phones'];
const settings = values.quick ? quick : full;
const progress = (text: string): void => console.error(text);
const [cpu] = cpus();
const machine: Machine = {
  cpu: cpu?.model ?? 'unknown',
  cores: cpus().length,
  node: process.version,
  kernel: release(),
};
const results: Results = {
  machine,
  ...(parts.includes('fastagi') && { fastAgi: await measureFastAgi(settings.fastAgi, progress) }),
  ...(parts.includes('questions') && {
    questions: await measureQuestions(settings.questions, progress),
  }),
  ...(parts.includes('calls') && { calls: await measureCalls(settings.calls, progress) }),
  ...(parts.includes('out') && { out: await measureCallsOut(settings.out, progress) }),
  ...(parts.includes('phones') && { phones: await measurePhones(settings.phones, progress) }),
};
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 1)}\n`);
console.log(tables(results));
