import { readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { Star64Error } from '../domain/errors.js';
import { tree, type TreeOptions } from './debian.js';
import { loaderOf } from './loader.js';
import { PortBlock } from '../domain/machine/ports.js';
import { LabProcess } from '../domain/machine/processes.js';
import { temporaryDirectory } from '../domain/machine/temporary.js';

export interface LampOptions extends TreeOptions {
  /** The phone that watches, with its digest password. */
  user: string;
  secret: string;
  server: { host: string; port: number };
  /** What it watches, such as `agent5000`. */
  lamp: string;
  /** The event package that it asks for: BLF keys mostly `dialog`. */
  event?: keyof typeof bodies;
}

const bodies = { dialog: 'application/dialog-info+xml', presence: 'application/pidf+xml' };

const scenario = fileURLToPath(new URL('../../lab/scenarios/lamp.xml', import.meta.url));

/**
 * What a key of a phone that watches a lamp is told. By `dialog` (RFC 4235) `terminated`, `early` or `confirmed`, and
 * `held` behind it where the body says that nothing is rendered; by `presence` (RFC 3863) `open` or `closed` and the note.
 * A `failure` when the phone may not watch it.
 */
export async function readLamp({
  user,
  secret,
  server,
  lamp,
  event = 'dialog',
  ...options
}: LampOptions): Promise<string> {
  const { root } = await tree('phones', options);
  const { loader, path } = await loaderOf(root);
  const dir = await temporaryDirectory('lamp');
  const ports = await PortBlock.reserve('phone');
  try {
    const list = join(dir, 'login.csv');
    const line = `${user};[authentication username=${user} password=${secret}];${lamp};${event};${bodies[event]}`;
    await writeFile(list, `SEQUENTIAL\n${line}\n`, { mode: 0o600 });
    const sipp = await LabProcess.launch(
      loader,
      [
        ...['--library-path', path, join(root, 'usr/bin/sipp'), `${server.host}:${server.port}`],
        ...['-sf', scenario, '-inf', list, '-m', '1', '-i', '127.0.0.1', '-p', String(ports.first)],
        ...['-ci', '127.0.0.1', '-cp', String(ports.first + 6), '-nostdin', '-recv_timeout', '20000'],
        ...['-trace_logs', '-log_file', join(dir, 'lamp.log')],
      ],
      { cwd: dir, outputFile: join(dir, 'output') },
    );
    const { status } = await sipp.exited;
    const said = status === 0 ? await readFile(join(dir, 'lamp.log'), 'utf8') : '';
    const [, state] = /<(?:state|basic)>([a-z]+)/.exec(said) ?? [];
    if (state === undefined) throw new Star64Error('failure', `phone ${user} may not watch the lamp ${lamp}`);
    const [, note] = /<note>(.*?)<\/note>/.exec(said) ?? [];
    const held = said.includes('pname="+sip.rendering" pvalue="no"') ? 'held' : undefined;
    return [state, note ?? held].filter((word) => word !== undefined).join(' ');
  } finally {
    await ports.release();
    await rm(dir, { recursive: true, force: true });
  }
}
