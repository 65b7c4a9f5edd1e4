import { isUtf8 } from 'node:buffer';
import { AgiError } from './errors.js';

/**
 * The call as Asterisk describes it before the first command (`agi_…` lines). Values are raw: names and numbers come
 * from the network and may be anything. `null` stands for Asterisk's word `unknown` and for a missing line.
 */
export interface AgiRequest {
  readonly uniqueid: string;
  readonly channel: string;
  /** Path of the URL in the dialplan, with any query string, not URL-decoded; empty when there was none. */
  readonly script: string;
  readonly url: string;
  readonly language: string;
  readonly callerIdNumber: string | null;
  readonly callerIdName: string | null;
  readonly dnid: string | null;
  readonly rdnis: string | null;
  readonly context: string;
  readonly extension: string;
  readonly priority: string;
  readonly accountCode: string;
  /** The arguments of AGI() after the URL; empty ones are kept. */
  readonly args: readonly string[];
  /** Every line by its full name, also those without a field above. */
  readonly variables: ReadonlyMap<string, string>;
}

const KEY = /^agi_[a-z0-9_]{1,60}$/;
const ARGUMENT = 'agi_arg_';

/**
 * Text of bytes that were read as Latin-1: UTF-8 where the bytes are valid UTF-8, otherwise Latin-1 letter by letter,
 * so that a name from an old trunk keeps its accents instead of turning into U+FFFD.
 */
function decode(latin1: string): string {
  if (!/[\u0080-\u00ff]/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

/**
 * Collects the lines of one environment block. res_agi does not escape values, so a line feed in a caller's name
 * forges lines. A forger cannot keep the real line from coming as well, nor send one after the arguments: so a block
 * with a name twice, or with arguments that are not last and in order, is refused.
 */
export class Environment {
  readonly #variables = new Map<string, string>();
  readonly #args: string[] = [];

  /** @throws AgiError `protocol` for a line that Asterisk itself would not have sent here. */
  add(line: string): void {
    const colon = line.indexOf(':');
    const key = line.slice(0, Math.max(colon, 0));
    if (!KEY.test(key))
      throw new AgiError('protocol', 'the environment holds a line that is no agi_ variable');
    if (this.#variables.has(key)) throw new AgiError('protocol', `the environment holds ${key} twice`);
    const value = decode(line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1));
    if (key.startsWith(ARGUMENT)) {
      if (key !== `${ARGUMENT}${this.#args.length + 1}`) {
        throw new AgiError('protocol', `the environment holds ${key} out of order`);
      }
      this.#args.push(value);
    } else if (this.#args.length > 0) {
      throw new AgiError('protocol', `the environment holds ${key} after the arguments`);
    }
    this.#variables.set(key, value);
  }

  /** The block is complete. */
  request(): AgiRequest {
    const variables = this.#variables;
    const text = (key: string): string => variables.get(key) ?? '';
    const known = (key: string): string | null => {
      const value = variables.get(key);
      return value === undefined || value === 'unknown' ? null : value;
    };
    return {
      uniqueid: text('agi_uniqueid'),
      channel: text('agi_channel'),
      script: text('agi_network_script'),
      url: text('agi_request'),
      language: text('agi_language'),
      callerIdNumber: known('agi_callerid'),
      callerIdName: known('agi_calleridname'),
      dnid: known('agi_dnid'),
      rdnis: known('agi_rdnis'),
      context: text('agi_context'),
      extension: text('agi_extension'),
      priority: text('agi_priority'),
      accountCode: text('agi_accountcode'),
      args: this.#args,
      variables,
    };
  }
}
