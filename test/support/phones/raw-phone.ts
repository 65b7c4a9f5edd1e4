import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { until } from '../../../domain/machine/processes.js';

interface Address {
  host: string;
  port: number;
}

/** A call of a phone that says anything: the headers that are not as usual. */
export interface Said {
  /** The user part of the request URI, as it stands in SIP. */
  to: string;
  /** Further header lines. */
  headers?: readonly string[];
  /** Display name and user of From, where they are not those of the phone. */
  name?: string;
  from?: string;
  contact?: string;
}

export interface Answered {
  /** The final answer; 0: there was none to what cannot be read. */
  status: number;
  callId: string;
}

/** What a dialog needs for its next request. */
export interface Dialog {
  callId: string;
  from: string;
  to: string;
  target: string;
  cseq: number;
}

/**
 * A phone that writes its SIP itself, so that it can say what no phone would. It answers calls to it with 486 and keeps
 * them in `rung`; a call of its own that is answered is ended at once, unless it is to stay.
 */
export class RawPhone {
  /** Calls that came to it. */
  readonly rung: string[] = [];
  /** Requests that were answered at all, as below. */
  readonly #heard = new Set<string>();
  /** Final answers to requests, by Call-ID and number of the request. */
  readonly #answers = new Map<string, { status: number; text: string }>();

  private constructor(
    readonly user: string,
    private readonly secret: string,
    private readonly server: Address,
    private readonly host: string,
    private readonly socket: Socket,
  ) {
    socket.on('message', (bytes) => this.#receive(bytes.toString('latin1')));
  }

  static async start(user: string, secret: string, server: Address, host: string): Promise<RawPhone> {
    const socket = createSocket('udp4');
    socket.bind(0, host);
    await once(socket, 'listening');
    // A test that has failed before it stopped the phone ends all the same: its waits have deadlines of their own.
    socket.unref();
    return new RawPhone(user, secret, server, host, socket);
  }

  #stopped = false;

  /** May be called twice. */
  stop(): void {
    if (!this.#stopped) this.socket.close();
    this.#stopped = true;
  }

  get own(): string {
    return `${this.host}:${this.socket.address().port}`;
  }

  async register(contact = `<sip:${this.user}@${this.own}>`): Promise<number> {
    const dialog = this.#dialog(`sip:${this.user}@${this.server.host}`);
    dialog.to = `<sip:${this.user}@${this.server.host}>`;
    const { status } = await this.#request('REGISTER', `sip:${this.server.host}`, dialog, [
      `Contact: ${contact}`,
      'Expires: 600',
    ]);
    return status;
  }

  /**
   * Calls, and waits for the final answer. `stay`: an answered call goes on until it returns; one that is not answered
   * by 200 is a failure then.
   */
  async call(said: Said, stay?: (dialog: Dialog) => Promise<void>): Promise<Answered> {
    const target = `sip:${said.to}@${this.server.host}:${this.server.port}`;
    const dialog = this.#dialog(target);
    if (said.from !== undefined || said.name !== undefined)
      dialog.from = `${said.name === undefined ? '' : `"${said.name}" `}<sip:${said.from ?? this.user}@${this.server.host}>;tag=${dialog.callId}`;
    const { status, text } = await this.#request(
      'INVITE',
      target,
      dialog,
      [
        `Contact: ${said.contact ?? `<sip:${this.user}@${this.own}>`}`,
        'Content-Type: application/sdp',
        ...(said.headers ?? []),
      ],
      this.#sdp(),
    );
    if (status >= 200 && status < 300) {
      dialog.to = header(text, 'To');
      dialog.target = /<(sip:[^>]+)>/.exec(header(text, 'Contact'))?.[1] ?? target;
      await stay?.(dialog);
      await this.#request('BYE', dialog.target, dialog, []);
    } else if (stay)
      throw new Error(`the call of ${this.user} to ${said.to} was answered by ${status || 'nothing'}`);
    return { status, callId: dialog.callId };
  }

  /** Sends the other side of a call on, as REFER says it; the answer to that. */
  async refer(dialog: Dialog, referTo: string, headers: readonly string[] = []): Promise<number> {
    const contact = `Contact: <sip:${this.user}@${this.own}>`;
    const more = [contact, `Refer-To: ${referTo}`, ...headers];
    return (await this.#request('REFER', dialog.target, dialog, more)).status;
  }

  /** A digit, or anything else, as SIP INFO says it. */
  async info(dialog: Dialog, signal: string): Promise<number> {
    const body = `Signal=${signal}\r\nDuration=160\r\n`;
    return (
      await this.#request('INFO', dialog.target, dialog, ['Content-Type: application/dtmf-relay'], body)
    ).status;
  }

  #dialog(target: string): Dialog {
    const callId = randomBytes(8).toString('hex');
    const from = `<sip:${this.user}@${this.server.host}>;tag=${callId}`;
    return { callId, from, to: `<${target}>`, target, cseq: 0 };
  }

  /** Sends a request, with its password if it is asked for, and waits for the final answer. */
  async #request(
    method: string,
    target: string,
    dialog: Dialog,
    headers: readonly string[],
    body = '',
  ): Promise<{ status: number; text: string }> {
    let proof: string[] = [];
    for (;;) {
      dialog.cseq++;
      const key = `${dialog.callId} ${dialog.cseq} ${method}`;
      // What is lost is sent again; what Asterisk cannot read it never answers.
      for (let times = 0; times < 4 && !this.#heard.has(key); times++) {
        this.#send(this.#lines(method, target, dialog, [...headers, ...proof]), body);
        await until(`an answer to ${method}`, () => this.#heard.has(key) || undefined, 1000).catch(
          () => undefined,
        );
      }
      if (!this.#heard.has(key)) return { status: 0, text: '' };
      const answer = await until(
        `the final answer to ${method} ${target.slice(0, 80)} of the phone ${this.user}`,
        () => this.#answers.get(key),
      );
      if (method === 'INVITE')
        this.#send(this.#lines('ACK', target, { ...dialog, to: header(answer.text, 'To') }, []), '');
      if (answer.status !== 401 || proof.length > 0) return answer;
      proof = [this.#proof(method, target, header(answer.text, 'WWW-Authenticate'))];
    }
  }

  #proof(method: string, target: string, challenge: string): string {
    const of = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const [realm, nonce, opaque] = [of('realm'), of('nonce'), of('opaque')];
    const [nc, cnonce] = ['00000001', randomBytes(4).toString('hex')];
    const response = md5(
      `${md5(`${this.user}:${realm}:${this.secret}`)}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${target}`)}`,
    );
    return `Authorization: Digest username="${this.user}", realm="${realm}", nonce="${nonce}", uri="${target}", response="${response}", algorithm=MD5, cnonce="${cnonce}", qop=auth, nc=${nc}, opaque="${opaque}"`;
  }

  #lines(method: string, target: string, dialog: Dialog, headers: readonly string[]): string[] {
    return [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.own};branch=z9hG4bK${dialog.callId}${dialog.cseq}`,
      'Max-Forwards: 70',
      `From: ${dialog.from}`,
      `To: ${dialog.to}`,
      `Call-ID: ${dialog.callId}`,
      `CSeq: ${dialog.cseq} ${method}`,
      ...headers,
    ];
  }

  #receive(text: string): void {
    const status = Number(/^SIP\/2\.0 ([0-9]{3})/.exec(text)?.[1] ?? 0);
    const cseq = header(text, 'CSeq');
    if (status > 0) this.#heard.add(`${header(text, 'Call-ID')} ${cseq}`);
    if (status >= 200) this.#answers.set(`${header(text, 'Call-ID')} ${cseq}`, { status, text });
    if (status > 0) return;
    const method = /^[A-Z]+/.exec(text)?.[0] ?? '';
    if (method === 'INVITE') this.rung.push(text);
    // Voice comes here, too.
    if (method === '' || method === 'ACK') return;
    const answer = method === 'INVITE' ? '486 Busy Here' : '200 OK';
    const back = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${header(text, name)}`);
    this.#send([`SIP/2.0 ${answer}`, ...back], '');
  }

  #sdp(): string {
    const { port } = this.socket.address();
    return `v=0\r\no=x 1 1 IN IP4 ${this.host}\r\ns=-\r\nc=IN IP4 ${this.host}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;
  }

  #send(lines: readonly string[], body: string): void {
    const text = [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
    this.socket.send(text, this.server.port, this.server.host);
  }
}

const header = (message: string, name: string): string =>
  new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(message)?.[1] ?? '';
