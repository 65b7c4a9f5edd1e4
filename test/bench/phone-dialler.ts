import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

interface Address {
  host: string;
  port: number;
}

/** The caller, and the password that proves it. */
export interface Login {
  user: string;
  secret: string;
}

interface Call {
  id: string;
  login: Login;
  number: string;
  sequence: number;
  began: number;
  toTag: string;
  mediaPort: number;
  proof: string;
  resend: NodeJS.Timeout;
  talk: NodeJS.Timeout | undefined;
  heard: (ms: number) => void;
  failed: (error: Error) => void;
}

const resendMs = 500;
const patienceMs = 20_000;

/**
 * Any number of phones in one: dials, and says after how many milliseconds the first sound came. sipp cannot tell when
 * it hears something, and a softphone for each of a thousand phones would be the load that is to be measured.
 */
export class Dialler {
  readonly #calls = new Map<string, Call>();
  /** By the port from which Asterisk sends: who is waiting to hear something, and the stream that was heard last. */
  readonly #listening = new Map<number, Call>();
  readonly #streams = new Map<number, number>();

  private constructor(
    private readonly server: Address,
    private readonly sip: Socket,
    private readonly media: Socket,
  ) {
    sip.on('message', (message) => this.#receive(message.toString('latin1')));
    media.on('message', (packet, from) => this.#hear(packet, from.port));
  }

  static async start(server: Address): Promise<Dialler> {
    const sockets = await Promise.all(
      [0, 1].map(async () => {
        const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
        socket.bind(0, '127.0.0.1');
        await once(socket, 'listening');
        return socket;
      }),
    );
    const [sip, media] = sockets as [Socket, Socket];
    return new Dialler(server, sip, media);
  }

  stop(): void {
    this.sip.close();
    this.media.close();
  }

  /** Calls the number, hangs up on the first sound, and resolves with the milliseconds that it took to come. */
  async dial(login: Login, number: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const call: Call = {
        id: randomBytes(8).toString('hex'),
        login,
        number,
        sequence: 1,
        began: performance.now(),
        toTag: '',
        mediaPort: 0,
        proof: '',
        resend: setInterval(() => this.#resend(call), resendMs),
        talk: undefined,
        heard: resolve,
        failed: reject,
      };
      this.#calls.set(call.id, call);
      this.#invite(call);
    });
  }

  #resend(call: Call): void {
    if (performance.now() - call.began > patienceMs) {
      this.#end(call, new Error(`${call.login.user} heard nothing after dialling ${call.number}`));
    } else if (call.toTag === '') {
      this.#invite(call);
    }
  }

  #invite(call: Call): void {
    const { port } = this.media.address();
    const sdp = [
      ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
      ...[`m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', ''],
    ].join('\r\n');
    const { port: own } = this.sip.address();
    const contact = `Contact: <sip:${call.login.user}@127.0.0.1:${own}>`;
    this.#send(
      call,
      'INVITE',
      [contact, ...(call.proof === '' ? [] : [call.proof]), 'Content-Type: application/sdp'],
      sdp,
    );
  }

  #send(call: Call, method: string, headers: readonly string[], body = ''): void {
    const { user } = call.login;
    const { host, port } = this.server;
    const uri = `sip:${call.number}@${host}:${port}`;
    const own = this.sip.address().port;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${own};rport;branch=z9hG4bK${call.id}${method === 'ACK' ? 'INVITE' : method}${call.sequence}`,
      `From: <sip:${user}@${host}:${port}>;tag=${call.id}`,
      `To: <${uri}>${call.toTag && `;tag=${call.toTag}`}`,
      `Call-ID: ${call.id}`,
      `CSeq: ${call.sequence} ${method}`,
      'Max-Forwards: 70',
      ...headers,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
    this.sip.send(text, port, host);
  }

  #receive(text: string): void {
    const header = (name: string): string => new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(text)?.[1] ?? '';
    const call = this.#calls.get(header('Call-ID'));
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);
    if (status === 0) {
      // Asterisk hangs up first, or says so again.
      if (text.startsWith('BYE ')) this.#agree(text);
      if (call && text.startsWith('BYE ')) this.#end(call, new Error(`${call.login.user} heard nothing`));
      return;
    }
    if (!call || !header('CSeq').endsWith('INVITE') || status < 200) return;
    const sequence = Number(/^\d+/.exec(header('CSeq'))?.[0]);
    const tag = /;tag=([^;\s]+)/.exec(header('To'))?.[1] ?? '';
    if (status === 200) {
      call.toTag = tag;
      this.#send(call, 'ACK', []);
      call.mediaPort = Number(/^m=audio (\d+)/m.exec(text)?.[1] ?? 0);
      this.#listening.set(call.mediaPort, call);
      // Asterisk's Answer() waits half a second for a phone that sends nothing.
      call.talk ??= this.#talk(call);
      return;
    }
    if (sequence !== call.sequence) return;
    call.toTag = tag;
    this.#send(call, 'ACK', []);
    call.toTag = '';
    if (status !== 401 || call.proof !== '') {
      this.#end(call, new Error(`${call.login.user} dialled ${call.number} and got ${status}`));
      return;
    }
    call.sequence++;
    call.proof = this.#prove(call, header('WWW-Authenticate'));
    this.#invite(call);
  }

  #prove({ login: { user, secret }, number }: Call, challenge: string): string {
    const asked = (name: string): string => new RegExp(`${name}="?([^",]+)`).exec(challenge)?.[1] ?? '';
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const [realm, nonce, opaque] = [asked('realm'), asked('nonce'), asked('opaque')];
    const uri = `sip:${number}@${this.server.host}:${this.server.port}`;
    const own = randomBytes(4).toString('hex');
    const secretPart = md5(`${user}:${realm}:${secret}`);
    const response = md5(`${secretPart}:${nonce}:00000001:${own}:auth:${md5(`INVITE:${uri}`)}`);
    return (
      `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
      `response="${response}", algorithm=MD5, cnonce="${own}", opaque="${opaque}", qop=auth, nc=00000001`
    );
  }

  /** Silence, as a phone sends it. */
  #talk(call: Call): NodeJS.Timeout {
    const packet = Buffer.alloc(12 + 160, 0xff);
    let sequence = 0;
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt32BE(randomBytes(4).readUInt32BE(), 8);
    const send = (): void => {
      packet.writeUInt16BE(++sequence, 2);
      packet.writeUInt32BE(sequence * 160, 4);
      this.media.send(Buffer.from(packet), call.mediaPort, this.server.host);
    };
    send();
    return setInterval(send, 20);
  }

  /** Answers a BYE: the same lines back. */
  #agree(text: string): void {
    const lines = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
    const answer = ['SIP/2.0 200 OK', ...lines, 'Content-Length: 0', '', ''].join('\r\n');
    this.sip.send(answer, this.server.port, this.server.host);
  }

  #hear(packet: Buffer, port: number): void {
    if (packet.length < 12) return;
    const stream = packet.readUInt32BE(8);
    // A packet of the call before on the same port may still have been on its way.
    const old = this.#streams.get(port) === stream;
    this.#streams.set(port, stream);
    const call = this.#listening.get(port);
    if (!call || old) return;
    const ms = performance.now() - call.began;
    call.sequence++;
    this.#send(call, 'BYE', []);
    this.#end(call, ms);
  }

  #end(call: Call, result: number | Error): void {
    clearInterval(call.resend);
    clearInterval(call.talk);
    this.#calls.delete(call.id);
    this.#listening.delete(call.mediaPort);
    if (typeof result === 'number') call.heard(result);
    else call.failed(result);
  }
}
