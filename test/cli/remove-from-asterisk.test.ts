import type { ChildProcess } from 'node:child_process';
import t from 'tap';
import { takeLeaderLease } from '../../domain/database/leases.js';
import { FakeAmi } from '../pbx/fake-ami.js';
import { star64 } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { defaultNode } from '../support/records.js';

const { db, url } = await freshDatabase(t);
const ami = new FakeAmi();
await ami.start();
t.teardown(() => ami.stop());

await t.test(
  'Ctrl-C ends it in good order: nothing more is taken out, and a server may lead at once',
  async (t) => {
    let child: ChildProcess | undefined;
    /** Answers the question that it is left with; only once the signal has arrived. */
    let answer: () => void = () => undefined;
    ami.handler = ({ name, id, connection }) => {
      const refuse = (why: string): true => {
        connection.say('Response: Error', `ActionID: ${id}`, `Message: ${why}`);
        return true;
      };
      if (name === 'dbget') return refuse('Database entry not found');
      if (name === 'showdialplan') return refuse('Did not find context star64-generation');
      if (name !== 'queuestatus') return false;
      answer = () => {
        connection.say(
          'Response: Success',
          `ActionID: ${id}`,
          'EventList: start',
          'Message: Queue status will follow',
        );
        connection.say(
          'Event: QueueStatusComplete',
          `ActionID: ${id}`,
          'EventList: Complete',
          'ListItems: 0',
        );
      };
      child?.kill('SIGINT');
      return true;
    };
    const { status, err } = await star64(['remove-from-asterisk'], {
      env: {
        DATABASE_URL: url,
        STAR64_AMI_HOST: '127.0.0.1',
        STAR64_AMI_PORT: String(ami.port),
        STAR64_AMI_SECRET: 'x',
      },
      onStart: (started) => (child = started),
      onErr: (text) => {
        if (text.includes('nothing more is taken out')) answer();
      },
    });
    t.equal(status, 130);
    t.match(err, /star64: interrupted: what was taken out stays out/);
    t.same(ami.seen('setvar'), []);
    t.ok(await takeLeaderLease(db, defaultNode, 'a server', 10), 'the lease is given back');
  },
);
