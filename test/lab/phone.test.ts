import { createSocket } from 'node:dgram';
import t from 'tap';
import { Phone } from '../../lab/phone.js';
import { toneIn } from '../../lab/wav.js';
import { until } from '../../domain/machine/processes.js';
import { requireLab } from '../support/lab.js';
import { RtpVoice } from '../support/phones/rtp-voice.js';
import { SipProvider } from '../support/phones/sip-provider.js';

const skip = await requireLab();

await t.test(
  'a phone without a jitter buffer hears a call before which something of the last one still comes in',
  { skip },
  async (t) => {
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
    const sequence = 20_000;

    // RTP of another stream, whose numbers are higher: a phone that is called again at once has the same port.
    const late = Buffer.alloc(172, 0xff);
    late.writeUInt16BE(0x8000);
    late.writeUInt16BE(sequence + 5000, 2);
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
    await new Promise((resolve) => socket.send(late, port, '127.0.0.1', resolve));

    const hertz = 700;
    const voice = new RtpVoice(provider.address, provider.port + 2, { hertz, sequence });
    t.teardown(() => voice.close());
    voice.speakTo(sdp);
    const tone = await until('the voice to be heard', async () => {
      const { last } = await phone.hearing(1600);
      return last.length === 1600 && toneIn(last, hertz) > 1500 ? 'heard' : undefined;
    });
    t.equal(tone, 'heard', 'what follows is heard');
    await phone.hangup();
  },
);
