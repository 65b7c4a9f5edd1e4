import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { PortBlock } from '../../../domain/machine/ports.js';
import { until } from '../../../domain/machine/processes.js';
import type { LabAsterisk } from '../../../lab/asterisk.js';

/**
 * What a provider does with a call: a SIP answer such as 486 refuses it, after 100 or 180 where the word says so; `silent`
 * says nothing at all, `trying` says 100 and no more, `ring` rings until somebody ends it, `early` lets the caller hear a
 * tone of 440 Hz before any answer, `answer` picks up.
 */
export type Behaviour = number | 'silent' | 'trying' | 'ring' | 'early' | 'answer';

/** A call as a provider has seen it. */
export interface ProviderCall {
  /** The user of the request URI: the number as the trunk was sent it. */
  number: string;
  /** The number in From: the caller as the trunk was shown them. */
  from: string;
  /** The whole INVITE, as it came. */
  invite: string;
  state: 'invited' | 'answered' | 'refused' | 'cancelled' | 'ended';
  /** Of an ended one: which side hung up. */
  endedBy?: 'asterisk' | 'provider';
}

interface Dialog extends ProviderCall {
  port: number;
  host: string;
  tag: string;
  media?: NodeJS.Timeout;
  packets?: number;
  refusal?: number;
}

/** A provider of a trunk that a script drives: it takes calls on an address of its own, any number at a time. */
export class Provider {
  readonly #dialogs = new Map<string, Dialog>();
  #behaviour: Behaviour | ((number: string) => Behaviour) = 'answer';
  /** Says nothing to anybody, also not to OPTIONS. */
  #dead = false;
  #unseen = false;
  /** How often it has been asked since it lived again, for the first time each, and answered, whether it is there. */
  #seen = Infinity;
  /** Call-IDs of all those questions. */
  readonly #asked = new Set<string>();
  /** Call-IDs of all calls that it was sent. */
  readonly #sent = new Set<string>();

  private constructor(
    /** The endpoint of its trunk in Asterisk. */
    readonly endpoint: string,
    readonly address: string,
    private readonly ports: PortBlock,
    private readonly socket: Socket,
  ) {
    socket.on('message', (message, { address: host, port }) => {
      const text = message.toString();
      if (text.startsWith('INVITE ')) this.#sent.add(header(text, 'Call-ID'));
      if (text.startsWith('OPTIONS ')) this.#isAsked(header(text, 'Call-ID'));
      if (!this.#dead) this.#receive(text, host, port);
    });
  }

  /** `last`: the last number of its address, 127.0.0.<last>, which no other trunk of the same Asterisk has. */
  static async start(endpoint: string, last: number): Promise<Provider> {
    const ports = await PortBlock.reserve('phone');
    const socket = createSocket('udp4');
    const address = `127.0.0.${last}`;
    socket.bind(ports.first, address);
    await once(socket, 'listening');
    // A test that has failed before it stopped the provider ends all the same.
    socket.unref();
    return new Provider(endpoint, address, ports, socket);
  }

  /**
   * Its trunk in pjsip.conf, asked every second whether it is there; `qualify: 0`: never. Asterisk gives it up when it has said
   * nothing for five seconds: it is a part of the test, which may stand still for some on a busy machine.
   */
  section({ qualify = 1, settings = '' }: { qualify?: number; settings?: string } = {}): string {
    return `[${this.endpoint}]
type = endpoint
transport = lab-udp
context = star64-inbound
disallow = all
allow = ulaw
direct_media = no
allow_transfer = no
aors = ${this.endpoint}
${settings}
[${this.endpoint}]
type = aor
contact = sip:${this.address}:${this.ports.first}
qualify_frequency = ${qualify}
qualify_timeout = 5
[${this.endpoint}]
type = identify
endpoint = ${this.endpoint}
match = ${this.address}
`;
  }

  /** All calls that came in, oldest first. */
  get calls(): readonly ProviderCall[] {
    return [...this.#dialogs.values()];
  }

  /** The numbers of the calls that came in, in order. */
  get numbers(): string[] {
    return this.calls.map(({ number }) => number);
  }

  /** How many calls it was sent, those included of which it heard nothing while it was dead. */
  get sent(): number {
    return this.#sent.size;
  }

  /** How many calls are not over. */
  get current(): number {
    return this.calls.filter(({ state }) => state === 'invited' || state === 'answered').length;
  }

  /** What it does with calls from now on. */
  does(behaviour: Behaviour | ((number: string) => Behaviour)): void {
    this.#behaviour = behaviour;
  }

  /** From now on it says nothing, to calls in progress neither, until `live()`. */
  die(): void {
    this.#dead = true;
    this.#seen = 0;
  }

  /** From now on it does not answer when it is asked whether it is there; calls it takes. */
  hide(): void {
    this.#unseen = true;
    this.#seen = 0;
  }

  live(): void {
    this.#dead = false;
    this.#unseen = false;
  }

  /** Waits for the call of this index, 0 the first, to be in a state. */
  async call(index: number, state?: ProviderCall['state']): Promise<ProviderCall> {
    return await until(
      () =>
        `call ${index} at ${this.endpoint} to be ${state ?? 'there'}, of ${JSON.stringify(this.calls.map(({ number, state }) => [number, state]))}`,
      () => this.calls.filter((call, at) => at === index && (state === undefined || call.state === state))[0],
    );
  }

  /** Picks up a call that rings. */
  pickUp(call: ProviderCall): void {
    const dialog = call as Dialog;
    clearInterval(dialog.media);
    dialog.state = 'answered';
    this.#reply(dialog, '200 OK', this.#sdp());
  }

  /** Waits until it has let the caller of a call hear a second of its tone. */
  async playedOneSecond(call: ProviderCall): Promise<void> {
    await until(`${this.endpoint} to play`, () => (((call as Dialog).packets ?? 0) >= 50 ? true : undefined));
  }

  /** Hangs up a call that was answered. */
  hangUp(call: ProviderCall): void {
    const dialog = call as Dialog;
    dialog.state = 'ended';
    dialog.endedBy = 'provider';
    const contact = /^Contact:.*<(sip:[^>]+)>/im.exec(dialog.invite)?.[1] ?? '';
    this.#send(
      [
        `BYE ${contact} SIP/2.0`,
        `Via: SIP/2.0/UDP ${this.address}:${this.ports.first};branch=z9hG4bK${dialog.tag}bye${header(dialog.invite, 'Call-ID').replace(/[^0-9a-z]/gi, '')}`,
        `From: ${header(dialog.invite, 'To')};tag=${dialog.tag}`,
        `To: ${header(dialog.invite, 'From')}`,
        `Call-ID: ${header(dialog.invite, 'Call-ID')}`,
        'CSeq: 1 BYE',
        'Max-Forwards: 70',
      ],
      dialog,
    );
  }

  /** Waits until Asterisk has a place to send its calls to, or none. */
  async reachable(asterisk: LabAsterisk, wanted = true): Promise<void> {
    await until(`Asterisk to find ${this.endpoint} ${wanted ? 'reachable' : 'gone'}`, async () => {
      // A question is asked again 0.5, 1.5 and 3.5 s later, and given up after 5: that one was not answered may be found out
      // 1.5 s later. By the fourth new one, a second each, it has been.
      if (wanted && this.#seen < 4) return undefined;
      const text = await asterisk.console(`dialplan eval function PJSIP_DIAL_CONTACTS(${this.endpoint})`);
      if (!text.includes('Return Value:') || text.includes(this.address) !== wanted) return undefined;
      // At the start it has a place before it has asked whether anybody is there.
      const state = await asterisk.console(`dialplan eval function DEVICE_STATE(PJSIP/${this.endpoint})`);
      return wanted && state.includes('UNAVAILABLE') ? undefined : true;
    });
  }

  async stop(): Promise<void> {
    for (const { media } of this.#dialogs.values()) clearInterval(media);
    this.socket.close();
    await this.ports.release();
  }

  #isAsked(id: string): void {
    if (!this.#dead && !this.#unseen && !this.#asked.has(id)) this.#seen++;
    this.#asked.add(id);
  }

  #receive(message: string, host: string, port: number): void {
    const method = /^([A-Z]+) /.exec(message)?.[1];
    const id = header(message, 'Call-ID');
    const dialog = this.#dialogs.get(id);
    if (method === 'INVITE' && !dialog) this.#invited(id, message, host, port);
    else if (method === 'INVITE' && dialog?.state === 'answered')
      this.#reply({ ...dialog, invite: message }, '200 OK', this.#sdp());
    // With a password, after a challenge: it is not believed.
    else if (method === 'INVITE' && dialog?.state === 'refused' && dialog.refusal !== undefined)
      this.#refuse({ ...dialog, invite: message }, dialog.refusal);
    else if (method === 'CANCEL' && dialog) {
      this.#reply({ ...dialog, invite: message }, '200 OK');
      if (dialog.state !== 'invited') return;
      dialog.state = 'cancelled';
      this.#reply(dialog, '487 Request Terminated');
    } else if (method === 'BYE' && dialog) {
      this.#reply({ ...dialog, invite: message }, '200 OK');
      if (dialog.state !== 'answered') return;
      dialog.state = 'ended';
      dialog.endedBy = 'asterisk';
    } else if (method === 'OPTIONS' && !this.#unseen) {
      this.#reply({ invite: message, host, port, tag: 'alive' }, '200 OK');
    }
    if (dialog && dialog.state !== 'invited' && dialog.state !== 'answered') clearInterval(dialog.media);
  }

  #invited(id: string, invite: string, host: string, port: number): void {
    const number = decodeURIComponent(/^INVITE sip:([^@;>]*)@/.exec(invite)?.[1] ?? '');
    const from = /<sip:([^@;>]*)@/.exec(header(invite, 'From'))?.[1] ?? '';
    const tag = `p${this.#dialogs.size}`;
    const dialog: Dialog = { number, from, invite, state: 'invited', host, port, tag };
    this.#dialogs.set(id, dialog);
    const does = typeof this.#behaviour === 'function' ? this.#behaviour(number) : this.#behaviour;
    if (does === 'silent') return;
    this.#reply(dialog, '100 Trying');
    if (does === 'trying') return;
    if (typeof does === 'number') {
      dialog.state = 'refused';
      dialog.refusal = does;
      this.#refuse(dialog, does);
      return;
    }
    if (does === 'early') {
      this.#reply(dialog, '183 Session Progress', this.#sdp());
      this.#play(dialog);
      return;
    }
    this.#reply(dialog, '180 Ringing');
    if (does === 'answer') this.pickUp(dialog);
  }

  #refuse(dialog: Dialog, status: number): void {
    const moved = status >= 300 && status < 400 ? [`Contact: <sip:5001@${this.address}>`] : [];
    const challenge = ({ 401: 'WWW', 407: 'Proxy' } as Record<number, string>)[status];
    const asked =
      challenge === undefined
        ? []
        : [`${challenge}-Authenticate: Digest realm="p", nonce="n", algorithm=MD5`];
    this.#reply(dialog, `${status} No`, '', [...moved, ...asked]);
  }

  /** A tone of 440 Hz to where the caller hears. */
  #play(dialog: Dialog): void {
    const host = /^c=IN IP4 (\S+)/m.exec(dialog.invite)?.[1] ?? '';
    const port = Number(/^m=audio (\d+)/m.exec(dialog.invite)?.[1]);
    let packet = 0;
    dialog.media = setInterval(() => {
      const rtp = Buffer.alloc(172);
      rtp.writeUInt16BE(0x8000, 0);
      rtp.writeUInt16BE(packet & 0xffff, 2);
      rtp.writeUInt32BE(packet * 160, 4);
      rtp.writeUInt32BE(64, 8);
      for (let index = 0; index < 160; index++)
        rtp[12 + index] = muLaw(6000 * Math.sin((2 * Math.PI * 440 * (packet * 160 + index)) / 8000));
      dialog.packets = ++packet;
      this.socket.send(rtp, port, host);
    }, 20).unref();
  }

  #reply(
    { invite, host, port, tag }: Pick<Dialog, 'invite' | 'host' | 'port' | 'tag'>,
    status: string,
    body = '',
    more: readonly string[] = [],
  ): void {
    const to = header(invite, 'To');
    this.#send(
      [
        `SIP/2.0 ${status}`,
        `Via: ${header(invite, 'Via')}`,
        `From: ${header(invite, 'From')}`,
        `To: ${to}${/;tag=/.test(to) || status.startsWith('100') ? '' : `;tag=${tag}`}`,
        `Call-ID: ${header(invite, 'Call-ID')}`,
        `CSeq: ${header(invite, 'CSeq')}`,
        ...(more.length > 0 ? more : [`Contact: <sip:provider@${this.address}:${this.ports.first}>`]),
        ...(body === '' ? [] : ['Content-Type: application/sdp']),
      ],
      { host, port },
      body,
    );
  }

  #sdp(): string {
    return [
      'v=0',
      `o=provider 1 1 IN IP4 ${this.address}`,
      's=-',
      `c=IN IP4 ${this.address}`,
      't=0 0',
      `m=audio ${this.ports.first} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      '',
    ].join('\r\n');
  }

  #send(lines: readonly string[], { host, port }: { host: string; port: number }, body = ''): void {
    const text = [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
    this.socket.send(text, port, host);
  }
}

const header = (message: string, name: string): string =>
  new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(message)?.[1] ?? '';

/** One sample as G.711 writes it. */
function muLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(32_635, Math.abs(Math.round(sample))) + 132;
  const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7);
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** What Asterisk has told of the tries of calls since a place of its log: `<trunk> <outcome> <code>` of each, in order. */
export async function triesIn(asterisk: LabAsterisk, from: number): Promise<string[]> {
  return (await toldIn(asterisk, 'Star64Try', from)).map(
    ({ Trunk, Outcome, Code }) => `${Trunk ?? ''} ${Outcome ?? ''}${Code ? ` ${Code}` : ''}`,
  );
}

/** The user events of a name since a place of Asterisk's log, each with its headers. */
export async function toldIn(
  asterisk: LabAsterisk,
  name: string,
  from: number,
): Promise<Record<string, string>[]> {
  const lines = (await asterisk.verbose.lines()).slice(from);
  return lines.flatMap((line) => {
    const body = new RegExp(`UserEvent\\("[^"]+", "${name},(.*)"\\) in new stack`).exec(line)?.[1];
    if (body === undefined) return [];
    return [
      Object.fromEntries(
        body.split(',').map((field): [string, string] => {
          const [key = '', ...value] = field.split(': ');
          return [key, value.join(': ').trim()];
        }),
      ),
    ];
  });
}
