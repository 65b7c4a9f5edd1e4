import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Console } from '../../../pbx/files/console.js';

/**
 * An Asterisk of which only its reading of files exists: what it has of each part after a reload is what the files then
 * said. What it was asked to read is kept, with what it had of queues and phones after it.
 */
export class FakeConsole {
  readonly reloads: { part: string; queues: string[]; phones: string[]; dialplan: string }[] = [];
  /** Parts that the operator's own files do not take in. */
  readonly notIncluded = new Set<string>();
  /** A phone or queue that it leaves out, with a word in its log. */
  leftOut: string | undefined;
  version = '20.15.2';
  /** What its log says when it reads phones, although it takes them all. */
  complaint: string | undefined;
  #queues: string[] = [];
  #phones: string[] = [];
  #rules: string[] = [];
  #features: string[] = [];
  #dialplan = '';

  constructor(
    private readonly directory: string,
    private readonly onWarning: (text: string) => Promise<void> = () => Promise.resolve(),
    private readonly log = '/nonexistent',
  ) {}

  readonly console: Console = async (command) => {
    switch (command) {
      case 'dialplan show star64-generation':
        return this.#dialplan === '' ? 'There is no existence' : `  '${this.#dialplan}' =>   1. Return()`;
      case 'dialplan show star64-code':
        return this.#dialplan === '' ? '' : "[ Context 'star64-code' created by 'pbx_config' ]";
      case 'queue show':
        return this.#queues
          .map((name) => `${name} has 0 calls (max unlimited)\n   No Members\n   No Callers\n`)
          .join('\n');
      case 'queue show rules':
        return this.#rules.join('');
      case 'features show':
        return this.#features.map((name) => `===> Group: ${name}\n===> --> star64-hold (*7)\n`).join('');
      case 'core show version':
        return `Asterisk ${this.version} built by nobody @ nowhere on a x86_64 running Linux on 2026-01-01\n`;
      case 'pjsip list endpoints':
        return this.#phones.map((name) => ` Endpoint:  ${name}/5000   Unavailable   0 of inf`).join('\n');
      case 'pjsip list aors':
        return this.#phones.map((name) => `      Aor:  ${name}     0`).join('\n');
      case 'core show settings':
        return `  Configuration directory:     /opt/etc\n  Log directory:               ${this.log}\n`;
      case 'dialplan reload':
        if (!this.notIncluded.has('dialplan')) {
          const text = await this.#text('extensions.conf');
          this.#dialplan = /^exten => (g[0-9a-f]{16}),1/m.exec(text)?.[1] ?? '';
        }
        this.#note('dialplan');
        return 'Dialplan reloaded.\n';
      case 'module reload app_queue.so':
        if (!this.notIncluded.has('queues')) this.#queues = await this.#sections('queues.conf');
        if (!this.notIncluded.has('rules'))
          this.#rules = [
            ...(await this.#text('queuerules.conf')).matchAll(/^\[(.+)\]\npenaltychange => ([0-9]+)/gm),
          ].map(
            ([, name = '', seconds = '']) =>
              `Rule: ${name}\n\tAfter ${seconds} seconds, adjust QUEUE_MAX_PENALTY to 2001\n`,
          );
        this.#note('queues');
        return "Module 'app_queue.so' reloaded successfully.\n";
      case 'module reload features':
        if (!this.notIncluded.has('features'))
          this.#features = [...(await this.#text('features.conf')).matchAll(/^\[(.+)\]$/gm)].map(
            ([, name = '']) => name,
          );
        this.#note('features');
        return "Module 'features' reloaded successfully.\n";
      case 'module reload res_pjsip.so':
        if (!this.notIncluded.has('phones')) this.#phones = await this.#sections('pjsip.conf');
        if (this.complaint !== undefined) await this.onWarning(this.complaint);
        this.#note('phones');
        return "Module 'res_pjsip.so' reloaded successfully.\n";
      default:
        throw new Error(`nobody asks for "${command}"`);
    }
  };

  #note(part: string): void {
    const phones = this.#phones.filter((name) => !name.startsWith('star64-'));
    const queues = this.#queues.filter((name) => !name.startsWith('star64-'));
    this.reloads.push({ part, queues, phones, dialplan: this.#dialplan });
  }

  async #text(file: string): Promise<string> {
    return readFile(join(this.directory, 'current', file), 'utf8');
  }

  async #sections(file: string): Promise<string[]> {
    const text = await this.#text(file);
    const lines: string[] = [];
    for (const line of text.split('\n')) {
      const included = /^#include "(.+)"/.exec(line)?.[1];
      lines.push(...(included === undefined ? line : await readFile(included, 'utf8')).split('\n'));
    }
    const names = new Set<string>();
    for (const [at, line] of lines.entries()) {
      const [, name = '', template] = /^\[([^\]]+)\](\(!\))?/.exec(line) ?? [];
      if (name === '' || template) continue;
      if (name === this.leftOut)
        await this.onWarning(
          `ERROR[77] x.c: it cannot be, at line ${at + 1} of ${this.directory}/current/${file}`,
        );
      else names.add(name);
    }
    return [...names];
  }
}
