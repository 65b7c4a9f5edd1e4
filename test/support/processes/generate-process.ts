import { connect } from '../../../domain/database/pool.js';
import { generate } from '../../../pbx/files/generate.js';
import { patient } from '../../../lab/patience.js';

/** A process that generates once, as `star64 generate` does, and says what that has cost: its arguments are URL and directory. */
const [url = '', directory = ''] = process.argv.slice(2);
const db = connect(url, patient);
const { changed } = await generate(db, {
  servers: ['127.0.0.1:9'],
  token: 'aTokenOfTheTests6464646464',
  passwordDigest: true,
  node: 'default',
  nobodyAnswers: 'an-error-has-occurred',
  directory,
});
await db.destroy();
const { user, system } = process.cpuUsage();
process.send?.({
  changed,
  seconds: (user + system) / 1e6,
  megabytes: process.resourceUsage().maxRSS / 1024,
} satisfies GenerateCost);
process.disconnect();

export interface GenerateCost {
  changed: boolean;
  /** Of CPU, the start of the process included. */
  seconds: number;
  /** The most memory that it has had. */
  megabytes: number;
}
