import type { Logger } from 'pino';
import { scripts } from '../../agi/scripts/index.js';
import type { Services } from '../../agi/scripts/script.js';
import { AgiServer, type AgiServerSettings, type Script } from '../../agi/server.js';
import { Callbacks } from '../../domain/calls/queue/callbacks.js';
import { CallOutJournal } from '../../domain/calls/outbound/call-out-journal.js';
import { OfferCounts } from '../../domain/calls/queue/offer-counts.js';
import { CallSteps } from '../../domain/calls/records/steps.js';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { EmergencyMemory } from '../../domain/calls/outbound/emergency-numbers.js';
import { Outbound } from '../../domain/calls/outbound/outbound-memory.js';
import { RingGroups } from '../../domain/calls/routing/ring-groups.js';
import { OutboundLimits } from '../../domain/calls/limits/outbound-limits.js';
import { Routing } from '../../domain/calls/routing/routing.js';
import { UnknownNumbers } from '../../domain/calls/routing/unknown-numbers.js';
import { PopupMemory } from '../../domain/popups/popup-memory.js';
import { Histogram } from '../../domain/machine/exposition.js';
import { EventRetention } from '../../domain/monitor/event-retention.js';
import { registerNode } from '../../domain/provisioning/node.js';
import { CallCommands } from '../../pbx/watch/loops/call-commands.js';
import { PhoneQuestions } from '../../pbx/watch/loops/phone-questions.js';
import { AutomaticSignOut } from '../../pbx/watch/loops/automatic-sign-out.js';
import { ChangeListener } from '../../domain/database/listen.js';
import type { DatabaseName } from '../../domain/database/name.js';
import { connect, prepared, type Database } from '../../domain/database/pool.js';
import { Manager, type ManagerSettings } from '../../pbx/ami/manager.js';
import { RecordingRetention } from '../../pbx/recordings.js';
import { queuePlaces } from '../../pbx/queue/places.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { CallbackQueue } from '../../pbx/watch/loops/callbacks.js';
import { Deadlines } from '../../pbx/watch/loops/deadlines.js';
import { Follower } from '../../pbx/watch/loops/follower.js';
import { observedEvents } from '../../pbx/watch/events/event-headers.js';
import { Conferences } from '../../pbx/watch/events/conferences.js';
import { EmergencyCalls } from '../../pbx/watch/events/emergency.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { EmptyQueues } from '../../pbx/watch/loops/empty-queues.js';
import { MissedCalls } from '../../pbx/watch/loops/missed-calls.js';
import { OwnAsterisk, ownershipDefaults } from '../../pbx/watch/own-asterisk.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import { EventRoundTrip } from '../../pbx/watch/compare/round-trip.js';
import { Watcher, watcherDefaults } from '../../pbx/watch/watcher.js';
import { Health, lateEnds } from './health.js';
import { Parts, type Part } from './parts.js';
import { ProvisioningChanges, type Remembered } from './provisioning.js';
import { Schema } from './schema.js';

/** How long questions under way may take to be answered when the server stops. */
const drainMs = 10_000;

export interface ServiceSettings {
  databaseUrl: string;
  databaseName: DatabaseName;
  agi: Partial<AgiServerSettings> & Pick<AgiServerSettings, 'host' | 'port'>;
  /** By which Asterisk proves itself; asked for when the tables are there. */
  token: (db: Database) => Promise<string>;
  ami: Pick<ManagerSettings, 'host' | 'port' | 'username' | 'secret'>;
  node: string;
  /** Asterisk's directory of recordings, if this is its machine. */
  recordingsDir: string;
  /** Names this server among those of the node; the same after a restart. */
  holder: string;
  /** The database is to have this Asterisk from now on, whoever has had it. */
  takeOver: boolean;
  version: string;
  /** Where health and metrics are told to this machine; undefined: nowhere. */
  healthPort: number | undefined;
}

export interface Service {
  readonly parts: Parts;
  /** Resolves with what to tell the operator when the service can go on no longer, and is to be stopped. */
  readonly lost: Promise<Error>;
}

/**
 * `star64 serve`, put together. The order is that of the list below. The FastAGI port opens once questions can be
 * answered, since a refused connection sends a call to its fallback at once, and before anything is changed in Asterisk:
 * a server that cannot have its port leaves no trace there. It closes first, while all that answers is still there.
 */
export function createService(settings: ServiceSettings, log: Logger): Service {
  const db = connect(settings.databaseUrl);
  const manager = new Manager(
    { ...settings.ami, events: observedEvents, eventClasses: ['agent', 'call', 'user'] },
    log.child({ part: 'ami' }),
  );
  const asterisk = new OwnAsterisk(
    db,
    manager,
    { ...ownershipDefaults, node: settings.node, takeOver: settings.takeOver },
    log,
  );
  const membership = new QueueMembership(db, asterisk, log);
  const wrapUpEnds = new Histogram(lateEnds);
  const deadlines = new Deadlines(db, settings.node, membership, log, (late) => wrapUpEnds.add(late));
  const automaticSignOut = new AutomaticSignOut(db, settings.node, membership, log);
  const eventRetention = new EventRetention(db, log);
  const recordings = new RecordingRetention(
    db,
    { directory: settings.recordingsDir, node: settings.node },
    log,
  );
  const missedCalls = new MissedCalls(db, settings.node, membership, log);
  const steps = new CallSteps(db, settings.node, log);
  const offers = new OfferCounts();
  const popups = new PopupMemory(db, settings.node);
  const observer = new Observer(db, settings.node, log, {
    deadlineSet: () => deadlines.poke(),
    missed: () => watcher.reconcileSoon(),
    unanswered: (offerIds) => missedCalls.take(offerIds),
    step: (step) => steps.add(step),
    popups,
    offers,
  });
  const emergencyCalls = new EmergencyCalls(db, settings.node, log);
  asterisk.on('event', (event) => emergencyCalls.take(event));
  const conferences = new Conferences(asterisk, log, () => watcher.leading);
  asterisk.on('down', () => conferences.forget());
  asterisk.on('event', (event) => conferences.take(event));
  const roundTrip = new EventRoundTrip(asterisk, () => observer.caughtUp(), log);
  const watcher: Watcher = new Watcher(
    { node: settings.node, holder: settings.holder, ...watcherDefaults },
    db,
    asterisk,
    observer,
    new Reconciliation(db, settings.node, asterisk, membership, log, roundTrip, offers),
    log,
  );
  const emptyQueues = new EmptyQueues(db, settings.node, asterisk, () => watcher.leading, log);
  const follower = new Follower(db, settings.node, membership, log, () => watcher.reconcileSoon());
  const routing = new Routing(db, settings.node);
  const ringGroups = new RingGroups(db, settings.node);
  const emergencies = new EmergencyMemory(db, settings.node);
  const limits = new OutboundLimits(db, settings.node, log);
  const outbound = new Outbound(db, settings.node, routing, { emergencies, limits });
  const callCommands = new CallCommands(
    db,
    settings.node,
    settings.holder,
    asterisk,
    () => watcher.leading,
    log,
    undefined,
    outbound,
  );
  const phoneQuestions = new PhoneQuestions(
    db,
    settings.node,
    settings.holder,
    asterisk,
    () => watcher.leading,
    log,
  );
  // Limits are read by themselves: the day's calls may take a while, and nobody waits for them.
  const limited: Remembered = {
    load: (teamIds) => {
      limits.changed(teamIds);
      return Promise.resolve();
    },
  };
  const callbacks = new Callbacks(db, settings.node);
  const callbackQueue = new CallbackQueue(
    {
      callbacks,
      manager: asterisk,
      outbound,
      facts: routing,
      leading: () => watcher.leading,
      step: (step) => steps.add(step),
    },
    log,
  );
  const provisioning = new ProvisioningChanges(
    [routing, ringGroups, outbound, emergencies, limited, popups],
    () => watcher.reconcileSoon(),
    log,
  );
  const listener = new ChangeListener(
    settings.databaseUrl,
    {
      provisioning: (payload) => provisioning.take(payload),
      agents: (payload) => follower.take(payload),
      calls: (node) => {
        if (node === settings.node) callCommands.poke();
      },
      phones: (node) => {
        if (node === settings.node) phoneQuestions.poke();
      },
    },
    log,
  );
  const journal = new CallJournal(db, settings.node, log, undefined, () => watcher.reconcileSoon());
  const callsOut = new CallOutJournal(db, settings.node, log);
  let agi: AgiServer | undefined;
  const unknownNumbers = new UnknownNumbers(db, settings.node, log);

  const closePort = async (): Promise<void> => {
    const cut = (await agi?.drain(drainMs)) ?? 0;
    if (cut > 0) log.warn({ cut }, 'questions were cut off after the time for draining');
    // The arrivals before the ends, which the watcher writes.
    await journal.flush();
    await callsOut.flush();
    await steps.flush();
  };

  const parts: Part[] = [
    { name: 'database', stop: () => db.destroy() },
    {
      name: 'manager',
      start: () => manager.start(),
      stop: async () => {
        await asterisk.stop();
        await manager.stop();
      },
    },
    new Schema(settings.databaseUrl, settings.databaseName, log),
    {
      name: 'node',
      start: async () => {
        const { node } = settings;
        if ((await registerNode(db, node)) > 0) return;
        log.warn({ node }, 'no team lives on this Asterisk: look at `asterisk.node`, or move one here');
      },
    },
    { name: 'follower', stop: () => follower.stop() },
    // Before the routing is read: what changes in between is heard of.
    { name: 'listener', start: () => listener.start(), stop: () => listener.stop() },
    provisioning,
    { name: 'limits', start: () => limits.start(), stop: () => limits.stop() },
    { name: 'missed calls', stop: () => missedCalls.stop() },
    { name: 'whose Asterisk it is', start: () => asterisk.look() },
    {
      name: 'port',
      start: async () => {
        const token = await settings.token(db);
        agi = new AgiServer(
          { ...settings.agi, token },
          bind({
            db,
            membership,
            routing,
            ringGroups,
            outbound,
            callsOut,
            journal,
            steps,
            callbacks,
            places: queuePlaces(asterisk, callbacks),
            unknownNumbers,
            log,
          }),
          log.child({ part: 'agi' }),
        );
        const { port } = await agi.start();
        const { user, system } = process.cpuUsage();
        const cpuMs = Math.round((user + system) / 1000);
        log.info({ host: settings.agi.host, port, cpuMs }, 'serving');
      },
      stop: closePort,
    },
    // From here on things are changed in Asterisk.
    { name: 'claim', start: () => asterisk.claim() },
    { name: 'watcher', start: () => watcher.start(), stop: () => watcher.stop() },
    { name: 'callbacks', start: () => callbackQueue.start(), stop: () => callbackQueue.stop() },
    { name: 'commands to calls', start: () => callCommands.start(), stop: () => callCommands.stop() },
    { name: 'questions of phones', start: () => phoneQuestions.start(), stop: () => phoneQuestions.stop() },
    { name: 'empty queues', start: () => emptyQueues.start(), stop: () => emptyQueues.stop() },
    { name: 'deadlines', start: () => deadlines.start(), stop: () => deadlines.stop() },
    {
      name: 'automatic sign-out',
      start: () => automaticSignOut.start(),
      stop: () => automaticSignOut.stop(),
    },
    { name: 'event retention', start: () => eventRetention.start(), stop: () => eventRetention.stop() },
    { name: 'old recordings', start: () => recordings.start(), stop: () => recordings.stop() },
    { name: 'unknown numbers', stop: () => unknownNumbers.flush() },
    new Health(
      settings.healthPort,
      {
        version: settings.version,
        node: settings.node,
        questions: () => agi?.counters ?? { active: 0, refused: 0, scripts: new Map() },
        offers: () => offers.all(),
        wrapUpEnds,
        managerConnected: () => manager.connected,
        leading: () => watcher.leading,
        askDatabase: () => prepared(db, 'select 1'),
      },
      log,
    ),
    { name: 'questions', stop: closePort },
  ];
  return { parts: new Parts(parts, log), lost: asterisk.lost };
}

/** The scripts, each with what it needs. */
function bind(services: Services): Map<string, Script> {
  const bound = new Map<string, Script>();
  for (const [name, script] of scripts) bound.set(name, (session, args) => script(services, session, args));
  return bound;
}
