import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';

/** A SIP message as it came. */
export interface SipMessage {
  /** `INVITE sip:… SIP/2.0`, or `SIP/2.0 200 OK`. */
  start: string;
  /** The method; of an answer undefined. */
  method: string | undefined;
  /** The status of an answer. */
  status: number | undefined;
  /** The first header of each name, in small letters. */
  headers: ReadonlyMap<string, string>;
  vias: readonly string[];
  body: string;
}

/** What a provider does with a call: picks up, rings for ever, or refuses with a status. */
export type Behaviour = 'answer' | 'ring' | { refuse: string };

const realm = 'provider.example';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/**
 * A provider on one address of 127.0.0.0/8, as far as trunks need one: a registrar that challenges, calls in both
 * directions without sound, and everything that it was told.
 */
export class SipProvider {
  readonly heard: SipMessage[] = [];
  behaviour: Behaviour = 'answer';
  /** What was registered, with the parameters that Asterisk put there. */
  contact: string | undefined;
  readonly #nonce = randomBytes(8).toString('hex');

  private constructor(
    readonly address: string,
    private readonly socket: Socket,
    private readonly account: { username: string; secret: string } | undefined,
  ) {
    socket.on('message', (data, from) => this.#hear(data.toString('latin1'), from.port, from.address));
  }

  static async start(
    t: Test,
    address: string,
    account?: { username: string; secret: string },
  ): Promise<SipProvider> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    socket.unref();
    const provider = new SipProvider(address, socket, account);
    t.teardown(() => provider.stop());
    return provider;
  }

  get port(): number {
    return this.socket.address().port;
  }

  #stopped = false;

  /** Ends it as a machine that loses its power. */
  stop(): void {
    if (!this.#stopped) this.socket.close();
    this.#stopped = true;
  }

  /** All requests of a method so far. */
  requests(method: string): SipMessage[] {
    return this.heard.filter((message) => message.method === method);
  }

  /**
   * Calls a URI at Asterisk, and waits until it is answered with a final status. `from` is who calls; `name` stands in front of whom is called.
   */
  async call(
    server: { host: string; port: number },
    uri: string,
    to: string,
    { from = '+4915112345678', name = '' }: { from?: string; name?: string } = {},
  ): Promise<SipDialog> {
    const dialog = new SipDialog(this, server, uri, `${name}<sip:${to}@${this.address}>`, from);
    await dialog.invite();
    return dialog;
  }

  send(text: string, port: number, host: string): void {
    this.socket.send(Buffer.from(text, 'latin1'), port, host);
  }

  /** The session description of a phone that hears and says nothing. */
  get sdp(): string {
    return [
      'v=0',
      `o=- 1 1 IN IP4 ${this.address}`,
      's=-',
      `c=IN IP4 ${this.address}`,
      't=0 0',
      `m=audio ${this.port + 2} RTP/AVP 8 0`,
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:0 PCMU/8000',
      '',
    ].join('\r\n');
  }

  #hear(text: string, port: number, host: string): void {
    const message = parse(text);
    if (!message) return;
    this.heard.push(message);
    const answer = (status: string, more: readonly string[] = [], body = ''): void =>
      this.send(this.#answer(message, status, more, body), port, host);
    switch (message.method) {
      case 'REGISTER':
        if (this.account && !this.#isProven(message, this.account)) {
          answer('401 Unauthorized', [
            `WWW-Authenticate: Digest realm="${realm}", nonce="${this.#nonce}", algorithm=MD5`,
          ]);
          return;
        }
        this.contact = /<([^>]+)>/.exec(message.headers.get('contact') ?? '')?.[1];
        answer('200 OK', [`Contact: ${message.headers.get('contact') ?? ''};expires=600`]);
        return;
      case 'INVITE': {
        const { behaviour } = this;
        if (typeof behaviour === 'object') {
          answer(behaviour.refuse);
          return;
        }
        answer('180 Ringing');
        if (behaviour === 'answer') answer('200 OK', ['Content-Type: application/sdp'], this.sdp);
        return;
      }
      case 'ACK':
      case undefined:
        return;
      default:
        answer('200 OK');
    }
  }

  #isProven({ headers }: SipMessage, { username, secret }: { username: string; secret: string }): boolean {
    const given = headers.get('authorization') ?? '';
    const named = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(given)?.[1] ?? '';
    const wanted = md5(
      `${md5(`${username}:${realm}:${secret}`)}:${this.#nonce}:${md5(`REGISTER:${named('uri')}`)}`,
    );
    return named('username') === username && named('response') === wanted;
  }

  #answer(request: SipMessage, status: string, more: readonly string[], body: string): string {
    const header = (name: string): string => request.headers.get(name) ?? '';
    const to =
      header('to').includes('tag=') || status.startsWith('100') ? header('to') : `${header('to')};tag=p`;
    return [
      `SIP/2.0 ${status}`,
      ...request.vias.map((via) => `Via: ${via}`),
      `From: ${header('from')}`,
      `To: ${to}`,
      `Call-ID: ${header('call-id')}`,
      `CSeq: ${header('cseq')}`,
      ...(request.method === 'REGISTER' ? [] : [`Contact: <sip:p@${this.address}:${this.port}>`]),
      ...more,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }
}

/** A call that a provider has made to Asterisk. */
export class SipDialog {
  readonly #id = randomBytes(6).toString('hex');
  #sequence = 0;
  #to: string;
  #target: string;

  constructor(
    private readonly provider: SipProvider,
    private readonly server: { host: string; port: number },
    uri: string,
    to: string,
    private readonly from: string,
  ) {
    this.#target = uri;
    this.#to = to;
  }

  async invite(): Promise<void> {
    const { sdp } = this.provider;
    const answer = await this.#ask('INVITE', ['Content-Type: application/sdp'], sdp);
    this.#to = answer.headers.get('to') ?? this.#to;
    this.status = answer.status ?? 0;
    const target = /<([^>]+)>/.exec(answer.headers.get('contact') ?? '')?.[1];
    if (this.status === 200 && target !== undefined) this.#target = target;
    this.#send('ACK', [], '', this.#sequence);
  }

  /** Of the INVITE. */
  status = 0;

  /** Asks Asterisk to call somebody else in its place; returns the status. */
  async refer(to: string): Promise<number> {
    const { host, port } = this.server;
    return (await this.#ask('REFER', [`Refer-To: <sip:${to}@${host}:${port}>`])).status ?? 0;
  }

  async bye(): Promise<void> {
    await this.#ask('BYE');
  }

  async #ask(method: string, more: readonly string[] = [], body = ''): Promise<SipMessage> {
    this.#sequence++;
    const sequence = `${this.#sequence} ${method}`;
    this.#send(method, more, body, this.#sequence);
    return until(`an answer to ${method} ${this.#target} of ${this.provider.address}`, () =>
      this.provider.heard.find(
        ({ status, headers }) =>
          (status ?? 0) >= 200 && headers.get('call-id') === this.#id && headers.get('cseq') === sequence,
      ),
    );
  }

  #send(method: string, more: readonly string[], body: string, sequence: number): void {
    const { address, port } = this.provider;
    const text = [
      `${method} ${this.#target} SIP/2.0`,
      `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${randomBytes(6).toString('hex')};rport`,
      'Max-Forwards: 70',
      `From: <sip:${this.from}@${address}>;tag=${this.#id}`,
      `To: ${this.#to}`,
      `Call-ID: ${this.#id}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <sip:p@${address}:${port}>`,
      ...more,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
    this.provider.send(text, this.server.port, this.server.host);
  }
}

function parse(text: string): SipMessage | undefined {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  if (start === '') return undefined;
  const headers = new Map<string, string>();
  const vias: string[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^([A-Za-z-]+) *: *(.*)$/.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === 'via' || key === 'v') vias.push(value);
    else if (!headers.has(key)) headers.set(key, value);
  }
  const status = /^SIP\/2\.0 ([0-9]{3})/.exec(start)?.[1];
  const method = status === undefined ? /^([A-Z]+) /.exec(start)?.[1] : undefined;
  return { start, method, status: status === undefined ? undefined : Number(status), headers, vias, body };
}
