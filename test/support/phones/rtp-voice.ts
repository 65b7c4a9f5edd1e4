import { createSocket, type Socket } from 'node:dgram';

/** How a line of a `ConsultingPhone` sounds. */
export interface Sound {
  /** The tone that it speaks all the time. */
  hertz: number;
  /** The RTP sequence number that each of its calls begins with: other phones choose it by chance. */
  sequence: number;
  /** 0: PCMU (default), 8: PCMA. */
  payload?: 0 | 8;
}

const packetMs = 20;
const samplesOfPacket = 160;
/** What is kept of what was heard: a second. */
const kept = 8000;

/** The sound of one call: RTP whose sequence numbers a test chooses, a tone out, and what comes in. */
export class RtpVoice {
  private readonly socket: Socket = createSocket('udp4');
  #timer: NodeJS.Timeout | undefined;
  #heard = new Int16Array();
  #bytes = 0;
  #sent = 0;

  constructor(
    address: string,
    readonly port: number,
    private readonly sound: Sound,
  ) {
    this.socket.bind(port, address);
    this.socket.on('message', (packet) => this.#hear(packet));
  }

  /** Speaks to where an SDP says, from now on or instead of where it spoke to. */
  speakTo(sdp: string): void {
    const host = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
    const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1] ?? 0);
    if (host === undefined || port === 0) return;
    const { hertz, sequence, payload = 0 } = this.sound;
    clearInterval(this.#timer);
    const since = Date.now() - this.#sent * packetMs;
    this.#timer = setInterval(() => {
      for (; this.#sent * packetMs < Date.now() - since; this.#sent++) {
        const packet = Buffer.alloc(12 + samplesOfPacket);
        packet[0] = 0x80;
        packet[1] = payload;
        packet.writeUInt16BE((sequence + this.#sent) % 65_536, 2);
        packet.writeUInt32BE(this.#sent * samplesOfPacket, 4);
        packet.writeUInt32BE(hertz, 8);
        for (let at = 0; at < samplesOfPacket; at++) {
          const angle = (2 * Math.PI * hertz * (this.#sent * samplesOfPacket + at)) / 8000;
          packet[12 + at] = encode(Math.round(6000 * Math.sin(angle)), payload);
        }
        this.socket.send(packet, port, host);
      }
    }, packetMs);
  }

  /** As `hearing` of a phone. */
  hearing(samples: number): { bytes: number; last: Int16Array } {
    return { bytes: this.#bytes, last: this.#heard.slice(-samples) };
  }

  /** Says nothing until it is told anew where to speak to. */
  hush(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    this.hush();
    this.socket.close();
  }

  #hear(packet: Buffer): void {
    const payload = (packet[1] ?? 0) & 0x7f;
    if (payload !== 0 && payload !== 8) return;
    const samples = Int16Array.from(packet.subarray(12), (byte) => decode(byte, payload));
    this.#bytes += 2 * samples.length;
    this.#heard = Int16Array.from([...this.#heard, ...samples].slice(-kept));
  }
}

/** G.711: what a byte of either law stands for. */
function decode(byte: number, payload: 0 | 8): number {
  const law = payload === 0 ? ~byte & 0xff : byte ^ 0x55;
  const [exponent, mantissa] = [(law >> 4) & 7, law & 15];
  const size =
    payload === 0
      ? ((mantissa * 8 + 132) << exponent) - 132
      : exponent === 0
        ? mantissa * 16 + 8
        : (mantissa * 16 + 264) << (exponent - 1);
  // Of the two laws one says by this bit what is negative, and the other what is not.
  return ((law & 0x80) !== 0) === (payload === 0) ? -size : size;
}

const tables = new Map<0 | 8, Uint8Array>();
/** The byte that is nearest to a sample, found once for each. */
function encode(sample: number, payload: 0 | 8): number {
  let table = tables.get(payload);
  if (table === undefined) {
    const values = Array.from({ length: 256 }, (_, byte) => [decode(byte, payload), byte] as const).sort(
      ([one], [other]) => one - other,
    );
    table = new Uint8Array(65_536);
    let at = 0;
    for (let wanted = -32_768; wanted < 32_768; wanted++) {
      while (
        at + 1 < values.length &&
        Math.abs((values[at + 1]?.[0] ?? 0) - wanted) <= Math.abs((values[at]?.[0] ?? 0) - wanted)
      )
        at++;
      table[wanted + 32_768] = values[at]?.[1] ?? 0;
    }
    tables.set(payload, table);
  }
  return table[sample + 32_768] ?? 0;
}
