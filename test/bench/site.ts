import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { packageRoot } from '../../domain/machine/package-root.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, showExtensionSecret } from '../../domain/provisioning/numbers/extension.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { AnsweringPhones } from '../../lab/answering.js';
import { LabAsterisk } from '../../lab/asterisk.js';
import { Centre } from '../../lab/centre.js';
import { until } from '../../domain/machine/processes.js';
import { crowd as team, provision } from '../../lab/provision.js';
import { Manager } from '../../pbx/ami/manager.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { managerAdvice } from './manager-advice.js';

const agents = 20;
/** The first phones are nobody's place of work: calls for an extension go there in turns, since a phone has one at a time. */
const called = 40;
const extensions = Array.from({ length: called + agents }, (_, index) => String(5001 + index));
const devices = extensions.slice(called).map((number) => `PJSIP/astercc-${number}`);
const direct = extensions
  .slice(0, called)
  .map((extension, index) => ({ extension, number: String(600200 + index) }));

/** The same dialled numbers lead to the same places, by way of star64 or as somebody has written it down. */
const groupNumber = '600100';
const asteriskNumber = '600300';
export const numbers = {
  group: [groupNumber],
  extension: direct.map(({ number }) => number),
  asterisk: [asteriskNumber],
};

/** How long an answered call lasts. */
const talkMs = 100;
export const wrapUpSeconds = 1;

/** A place that does nothing but answer and hang up; put before what is generated, since the first one counts. */
const leaf = '5900';
const leafDialplan = `[astercc-numbers]
exten => ${leaf},1,Answer()
 same => n,Hangup()
`;

const staticDialplan = `[lab-static]
exten => ${asteriskNumber},1,Answer()
 same => n,Hangup()
${direct.map(({ number, extension }) => `exten => ${number},1,Dial(PJSIP/astercc-${extension},60)\n same => n,Hangup()`).join('\n')}
exten => ${groupNumber},1,Answer()
 same => n,Queue(lab-static)
 same => n,Hangup()`;

const staticQueue = `[lab-static](star64-queue)
strategy=rrmemory
timeout=15
wrapuptime=${wrapUpSeconds}
${devices.map((device, index) => `member => ${device},0,${1001 + index},${device}`).join('\n')}`;

/**
 * Two Asterisks with the same phones: one that asks star64, and one that nobody else talks to, with the same calls in
 * static dialplan. Neither writes the verbose log.
 */
export class Site {
  private constructor(
    readonly centre: Centre,
    readonly plain: LabAsterisk,
    private readonly phones: AnsweringPhones[],
  ) {}

  static async start(progress: (text: string) => void): Promise<Site> {
    const centre = await Centre.start({
      progress,
      provision: async (db) => {
        const common = { wrapUp: 'answer', wrapUpSeconds };
        const fixture = team(agents, { groups: [{ name: 'support', ...common }], did: groupNumber });
        const crew = fixture.agents.map((agent) => ({ ...agent }));
        await provision(db, {
          ...fixture,
          extensions: extensions.map((number) => ({ number, user: 'crowd' })),
          agents: crew,
        });
        for (const { number, extension } of direct)
          await addDid(db, 'astercc', { number, to: `extension:${extension}` });
        await addExtension(db, 'astercc', { number: leaf, user: 'crowd' });
        await addDid(db, 'astercc', { number: asteriskNumber, to: `extension:${leaf}` });
      },
      asterisk: {
        verboseLog: false,
        // What comes first falls into the section of our user, which is the last of the file.
        extra: { 'manager.conf': Object.values(await managerAdvice()).join('\n') },
      },
    });
    const phones: AnsweringPhones[] = [];
    let plain: LabAsterisk | undefined;
    try {
      const generated = centre.env['STAR64_ASTERISK_CONFIG_DIR'] ?? '';
      await useOwnTemplate(centre, generated);
      plain = await LabAsterisk.start({
        generated,
        verboseLog: false,
        extra: { 'extensions.conf': staticDialplan, 'queues.conf': staticQueue },
      });
      progress('registering the phones');
      const logins = await Promise.all(
        extensions.map(async (extension) => {
          const { secret } = await showExtensionSecret(centre.db, 'astercc', extension);
          return { user: `astercc-${extension}`, secret: secret ?? '' };
        }),
      );
      for (const asterisk of [centre.asterisk, plain]) {
        phones.push(await AnsweringPhones.start({ logins, server: asterisk.sip, talkMs }));
        await reachable(asterisk, extensions.length);
      }
      await signInAll(centre);
      return new Site(centre, plain, phones);
    } catch (error) {
      await stopAll(centre, plain, phones);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await stopAll(this.centre, this.plain, this.phones);
  }
}

async function stopAll(
  centre: Centre,
  plain: LabAsterisk | undefined,
  phones: readonly AnsweringPhones[],
): Promise<void> {
  await Promise.all(phones.map((one) => one.stop()));
  await plain?.stop();
  await centre.stop();
}

/** As an operator may who wants other text than ours. */
async function useOwnTemplate(centre: Centre, generated: string): Promise<void> {
  const file = 'team/numbers.hbs';
  const ours = await readFile(new URL(`dialplan-templates/${file}`, packageRoot), 'utf8');
  const [version = '', ...rest] = ours.split('\n');
  const directory = join(generated, '..', 'templates');
  await mkdir(join(directory, 'team'), { recursive: true });
  await writeFile(join(directory, file), [version, leafDialplan, ...rest].join('\n'));
  centre.env['STAR64_ASTERISK_TEMPLATES_DIR'] = directory;
  await centre.generate();
}

async function reachable(asterisk: LabAsterisk, count: number): Promise<void> {
  await until(
    'the phones to be reachable',
    async () => {
      const text = await asterisk.console('pjsip show contacts');
      return (text.match(/ Avail /g) ?? []).length === count ? true : undefined;
    },
    90_000,
  );
}

/** As `*64` does it, without the telephone. */
async function signInAll(centre: Centre): Promise<void> {
  const log = pino({ enabled: false });
  const manager = new Manager(
    { ...centre.asterisk.ami, events: ['FullyBooted'], eventClasses: ['system'] },
    log,
  );
  manager.start();
  try {
    await manager.whenUp(10_000);
    const membership = new QueueMembership(centre.db, manager, log);
    for (const [index, extension] of extensions.slice(called).entries()) {
      const agent = String(1001 + index);
      const result = await signIn(centre.db, 'astercc', { agent, extension, by: 'benchmark' });
      if (result.outcome !== 'signed-in') throw new Error(`agent ${agent}: ${result.outcome}`);
      if (!(await membership.sync(result.signIn))) throw new Error(`agent ${agent} is in no queue`);
    }
  } finally {
    await manager.stop();
  }
}
