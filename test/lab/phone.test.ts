import { createSocket } from 'node:dgram';
import t, { type Test } from 'tap';
import { Phone } from '../../lab/phone.js';
import { toneIn } from '../../lab/wav.js';
import { until } from '../../domain/machine/processes.js';
import { requireLab } from '../support/lab.js';
import { RtpVoice } from '../support/phones/rtp-voice.js';
import { SipProvider } from '../support/phones/sip-provider.js';

const skip = await requireLab();

/** A call to a provider that has said nothing in it yet, of a phone without a jitter buffer. */
async function called(t: Test) {
  const provider = await SipProvider.start(t, '127.0.0.95');
  const phone = await Phone.start({
    user: 'caller',
    jitterBuffer: false,
    server: { host: provider.address, port: provider.port },
  });
  t.teardown(() => phone.stop());
  await phone.dial('600');
  await phone.established();
  const sdp = provider.requests('INVITE')[0]?.body ?? '';
  const says = (sequence: number, port: number): RtpVoice => {
    const voice = new RtpVoice(provider.address, provider.port + port, { hertz, sequence });
    t.teardown(() => voice.close());
    voice.speakTo(sdp);
    return voice;
  };
  return { phone, says, port: Number(/^m=audio (\d+)/m.exec(sdp)?.[1]) };
}
const hertz = 700;

await t.test(
  'a phone without a jitter buffer hears a call before which something of the last one still comes in',
  { skip },
  async (t) => {
    const { phone, says, port } = await called(t);
    const sequence = 20_000;
    // RTP of another stream, whose numbers are higher: a phone that is called again at once has the same port.
    const late = Buffer.alloc(172, 0xff);
    late.writeUInt16BE(0x8000);
    late.writeUInt16BE(sequence + 5000, 2);
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    await new Promise((resolve) => socket.send(late, port, '127.0.0.1', resolve));

    says(sequence, 2);
    const tone = await until('the voice to be heard', async () => {
      const { last } = await phone.hearing(1600);
      return last.length === 1600 && toneIn(last, hertz) > 1500 ? 'heard' : undefined;
    });
    t.equal(tone, 'heard', 'what follows is heard');
    await phone.hangup();
  },
);

await t.test('and one that goes on in the same name with lower numbers', { skip }, async (t) => {
  const { phone, says } = await called(t);
  const second = 16_000;
  const more = async (): Promise<void> => {
    const { bytes } = await phone.hearing(0);
    await until('a second of it', async () =>
      (await phone.hearing(0)).bytes > bytes + second ? true : undefined,
    );
  };
  const first = says(25_000, 2);
  await more();
  first.hush();
  says(20_000, 4);
  await more();
  t.pass('it is heard on');
  await phone.hangup();
});
