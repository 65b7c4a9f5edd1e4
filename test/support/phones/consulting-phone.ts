import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { PortBlock } from '../../../domain/machine/ports.js';
import { until } from '../../../domain/machine/processes.js';
import { RtpVoice, type Sound } from './rtp-voice.js';
import { header, md5, referTo, status, type Dialog, type Message } from './sip-text.js';

export type { Dialog } from './sip-text.js';

interface Address {
  host: string;
  port: number;
}

/**
 * A telephone with two lines that can do what baresip and sipp cannot: call somebody while it is in a call, and send the
 * first party to the second by REFER with Replaces (RFC 3891, 5589). It answers every call at once. It is silent, unless it
 * has a sound, with which it is heard, and hears, as other phones do.
 */
export class ConsultingPhone {
  readonly #dialogs = new Map<string, Dialog>();
  readonly #replies: Message[] = [];
  /** What came of its own REFERs, as the other side told it: `404`. */
  readonly #transfers: number[] = [];
  /** What its display shows of each call: the party that a request of the other side named last. */
  readonly #shown = new Map<string, string>();
  readonly #voices = new Map<string, RtpVoice>();
  #cseq = 1;
  #version = 0;
  #lines = 0;

  private constructor(
    readonly user: string,
    private readonly secret: string,
    private readonly server: Address,
    private readonly ports: PortBlock,
    private readonly socket: Socket,
    private readonly sound: Sound | undefined,
    private readonly address: string,
  ) {}

  /** Registers, and is called from then on. From an address that Asterisk knows for a trunk's it only calls. */
  static async start(
    user: string,
    secret: string,
    server: Address,
    { sound, trunk }: { sound?: Sound; trunk?: string } = {},
  ): Promise<ConsultingPhone> {
    const ports = await PortBlock.reserve('phone');
    const socket = createSocket('udp4');
    const address = trunk ?? '127.0.0.1';
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(ports.first, address, resolve);
    });
    // A test that has failed before it stopped the phone ends all the same: its waits have deadlines of their own.
    socket.unref();
    const phone = new ConsultingPhone(user, secret, server, ports, socket, sound, address);
    socket.on('message', (data) => phone.#receive(data.toString()));
    if (trunk !== undefined) return phone;
    try {
      await phone.#request('REGISTER', `sip:${server.host}:${server.port}`, phone.#dialog(user), [
        'Expires: 300',
      ]);
    } catch (error) {
      await phone.stop();
      throw error;
    }
    return phone;
  }

  /** As of other phones: what it hears in its oldest call, or in the one that is given. */
  hearing(samples: number, { callId }: Pick<Dialog, 'callId'> = this.calls[0] ?? { callId: '' }) {
    return Promise.resolve(
      this.#voices.get(callId)?.hearing(samples) ?? { bytes: 0, last: new Int16Array() },
    );
  }

  /** Its calls that are not over, the oldest first. */
  get calls(): Dialog[] {
    return [...this.#dialogs.values()].filter(({ over }) => !over);
  }

  /** Waits for a call that came in, and is answered. */
  called(): Promise<Dialog> {
    return until(`a call at the phone ${this.user}`, () => this.calls[0], 30_000);
  }

  /** Calls a number; returns when it is answered. */
  async call(number: string): Promise<Dialog> {
    const dialog = this.#dialog(number);
    const target = `sip:${number}@${this.server.host}:${this.server.port}`;
    const port = this.#voice(dialog.callId);
    const answer = await this.#request(
      'INVITE',
      target,
      dialog,
      ['Content-Type: application/sdp'],
      this.#sdp(port),
    );
    this.#voices.get(dialog.callId)?.speakTo(answer.text);
    dialog.remote = header(answer, 'To');
    dialog.target = /<([^>]+)>/.exec(header(answer, 'Contact'))?.[1] ?? target;
    this.#send('ACK', dialog.target, dialog, dialog.cseq, []);
    this.#dialogs.set(dialog.callId, dialog);
    return dialog;
  }

  /** Puts a call on hold (`a=inactive`), from when on neither side is to send anything. */
  async hold(dialog: Dialog): Promise<void> {
    const headers = ['Content-Type: application/sdp'];
    const sdp = this.#sdp(this.#voice(dialog.callId));
    await this.#request('INVITE', dialog.target, dialog, headers, `${sdp}a=inactive\r\n`);
    this.#send('ACK', dialog.target, dialog, dialog.cseq, []);
  }

  /** Has the other sides of two of its calls joined; returns when Asterisk has accepted that. */
  async join(first: Dialog, second: Dialog): Promise<void> {
    await this.#request('REFER', first.target, first, [
      `Refer-To: ${referTo(second)}`,
      `Referred-By: ${first.local.replace(/;tag=.*/, '')}`,
    ]);
  }

  /** Sends the other side of a call to a number, or into another call; returns what became of it, as a SIP status. */
  async refer(dialog: Dialog, to: string | Dialog): Promise<number> {
    const told = this.#transfers.length;
    const { host, port } = this.server;
    const uri = typeof to === 'string' ? `<sip:${to}@${host}:${port}>` : referTo(to);
    await this.#request('REFER', dialog.target, dialog, [`Refer-To: ${uri}`]);
    return until(
      () => `the result of a REFER of ${this.user}, which was told ${this.#transfers.slice(told).join(' ')}`,
      () => this.#transfers.slice(told).find((one) => one >= 200),
    );
  }

  /** Presses keys in a call, as SIP INFO tells them: one behind the other, so that Asterisk does not wait between them. */
  async keys(dialog: Dialog, keys: string): Promise<void> {
    const headers = ['Content-Type: application/dtmf-relay'];
    await Promise.all(
      Array.from(keys, (key) =>
        this.#request('INFO', dialog.target, dialog, headers, `Signal=${key}\r\nDuration=160\r\n`),
      ),
    );
  }

  /** Who is on its display in a call: the user of P-Asserted-Identity, else that of From at the beginning. */
  shows({ callId }: Dialog): string | undefined {
    return this.#shown.get(callId);
  }

  /** Ends a call, and waits until the other side has said that it knows. */
  async hangUp(dialog: Dialog): Promise<void> {
    await this.#request('BYE', dialog.target, dialog, []);
    dialog.over = true;
    this.#silence(dialog.callId);
  }

  #stopped: Promise<void> | undefined;

  /** Ends its calls, and is gone. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped ??= (async () => {
      for (const dialog of this.calls) this.#send('BYE', dialog.target, dialog, ++dialog.cseq, []);
      for (const callId of this.#voices.keys()) this.#silence(callId);
      await new Promise<void>((resolve) => this.socket.close(() => resolve()));
      await this.ports.release();
    })();
    await this.#stopped;
  }

  get #contact(): string {
    return `<sip:${this.user}@${this.address}:${this.ports.first}>`;
  }

  /** The port of a call's sound, which has one if the phone has. */
  #voice(callId: string): number {
    const port = this.ports.first + 4 + 2 * this.#lines;
    if (this.sound === undefined) return this.ports.first + 4;
    const known = this.#voices.get(callId);
    if (known !== undefined) return known.port;
    this.#lines = (this.#lines + 1) % 2;
    this.#voices.set(callId, new RtpVoice(this.address, port, this.sound));
    return port;
  }

  #silence(callId: string): void {
    this.#voices.get(callId)?.close();
    this.#voices.delete(callId);
  }

  #sdp(port: number): string {
    const payload = this.sound?.payload ?? 0;
    return [
      'v=0',
      // The version grows: a session of the same one would be taken for an offer that was seen already.
      `o=phone 1 ${++this.#version} IN IP4 ${this.address}`,
      's=-',
      `c=IN IP4 ${this.address}`,
      't=0 0',
      `m=audio ${port} RTP/AVP ${payload}`,
      `a=rtpmap:${payload} ${payload === 0 ? 'PCMU' : 'PCMA'}/8000`,
      '',
    ].join('\r\n');
  }

  #dialog(to: string): Dialog {
    const { host } = this.server;
    return {
      callId: randomBytes(8).toString('hex'),
      local: `<sip:${this.user}@${host}>;tag=${randomBytes(4).toString('hex')}`,
      remote: `<sip:${to}@${host}>`,
      target: '',
      cseq: 0,
      over: false,
    };
  }

  /** Sends a request, once more with the password when it is asked for, and returns the final answer. */
  async #request(
    method: string,
    uri: string,
    dialog: Dialog,
    headers: readonly string[],
    body = '',
  ): Promise<Message> {
    const attempt = async (more: readonly string[]): Promise<Message> => {
      const cseq = ++dialog.cseq;
      this.#send(method, uri, dialog, cseq, [...headers, ...more], body);
      return until(`an answer to ${method} ${uri} of the phone ${this.user}`, () =>
        this.#replies.find(
          (one) =>
            status(one) >= 200 &&
            header(one, 'Call-ID') === dialog.callId &&
            header(one, 'CSeq') === `${cseq} ${method}`,
        ),
      );
    };
    let answer = await attempt([]);
    if (status(answer) === 401) {
      if (method === 'INVITE') {
        const remote = dialog.remote;
        dialog.remote = header(answer, 'To');
        this.#send('ACK', uri, dialog, dialog.cseq, []);
        dialog.remote = remote;
      }
      answer = await attempt([this.#authorization(method, uri, header(answer, 'WWW-Authenticate'))]);
    }
    if (status(answer) >= 300) throw new Error(`${method} of ${this.user}: ${answer.first}`);
    return answer;
  }

  #authorization(method: string, uri: string, challenge: string): string {
    const given = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
    const [realm, nonce, opaque] = [given('realm'), given('nonce'), given('opaque')];
    const [nc, cnonce] = ['00000001', randomBytes(4).toString('hex')];
    const known = md5(`${this.user}:${realm}:${this.secret}`);
    const response = md5(`${known}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
    return (
      `Authorization: Digest username="${this.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
      `response="${response}", algorithm=MD5, opaque="${opaque}", qop=auth, nc=${nc}, cnonce="${cnonce}"`
    );
  }

  #send(
    method: string,
    uri: string,
    dialog: Dialog,
    cseq: number,
    headers: readonly string[],
    body = '',
  ): void {
    this.#write([
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.address}:${this.ports.first};branch=z9hG4bK${randomBytes(6).toString('hex')};rport`,
      `From: ${dialog.local}`,
      `To: ${dialog.remote}`,
      `Call-ID: ${dialog.callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: ${this.#contact}`,
      'Max-Forwards: 70',
      ...headers,
      `Content-Length: ${body.length}`,
      '',
      body,
    ]);
  }

  #write(lines: readonly string[]): void {
    this.socket.send(lines.join('\r\n'), this.server.port, this.server.host);
  }

  #receive(text: string): void {
    const message = { first: text.slice(0, text.indexOf('\r\n')), text };
    if (message.first.startsWith('SIP/2.0')) {
      this.#replies.push(message);
      return;
    }
    const [method = ''] = message.first.split(' ');
    if (method === 'ACK') return;
    const callId = header(message, 'Call-ID');
    const known = this.#dialogs.get(callId);
    if (method === 'BYE' && known) {
      known.over = true;
      this.#silence(callId);
    }
    const sipfrag = /^SIP\/2\.0 (\d+)/m.exec(text.slice(text.indexOf('\r\n\r\n')))?.[1];
    if (method === 'NOTIFY' && sipfrag) this.#transfers.push(Number(sipfrag));
    const named = header(message, 'P-Asserted-Identity') || (known ? '' : header(message, 'From'));
    const user = /<sips?:([^@>]+)@/.exec(named)?.[1];
    if (user !== undefined) this.#shown.set(callId, user);
    let to = header(message, 'To');
    let body = '';
    if (method === 'INVITE') {
      body = this.#sdp(this.#voice(callId));
      this.#voices.get(callId)?.speakTo(text);
      if (!known) {
        to += `;tag=${randomBytes(4).toString('hex')}`;
        this.#dialogs.set(callId, {
          callId,
          local: to,
          remote: header(message, 'From'),
          target: /<([^>]+)>/.exec(header(message, 'Contact'))?.[1] ?? '',
          cseq: this.#cseq++,
          over: false,
        });
      }
    }
    const via = [...text.matchAll(/^Via: .*?(?=\r\n)/gm)].map(([line]) => line);
    this.#write([
      'SIP/2.0 200 OK',
      ...via,
      `From: ${header(message, 'From')}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${header(message, 'CSeq')}`,
      `Contact: ${this.#contact}`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ]);
  }
}
