import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** The trunk of star64-inbound. */
const address = '127.0.0.99';

/**
 * Calls over the trunk with a name and number that no phone would send, as they stand in SIP, and does nothing more: the
 * call ends from the other side. Returns the status that ends it.
 */
export async function hostileCall(
  server: { host: string; port: number },
  to: string,
  from: { name: string; user: string },
): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const { port } = socket.address();
  const id = `${port}-${to}`;
  const sdp = [
    'v=0',
    `o=x 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    '',
  ].join('\r\n');
  const target = `sip:${to}@${server.host}:${server.port}`;
  const head = (method: string, toHeader: string): string[] => [
    `${method} ${target} SIP/2.0`,
    `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${id}`,
    `From: "${from.name}" <sip:${from.user}@${address}:${port}>;tag=${id}`,
    toHeader,
    `Call-ID: ${id}@${address}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
  ];
  const send = (lines: string[], body = ''): void => {
    const text = [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
    socket.send(text, server.port, server.host);
  };
  const ended = new Promise<number>((resolve) => {
    socket.on('message', (message) => {
      const [status = '', ...headers] = message.toString().split('\r\n');
      const code = Number(/^SIP\/2\.0 (\d{3})/.exec(status)?.[1]);
      if (!(code >= 300)) return;
      send(head('ACK', headers.find((line) => /^To:/i.test(line)) ?? ''));
      resolve(code);
    });
  });
  send(
    [
      ...head('INVITE', `To: <${target}>`),
      `Contact: <sip:x@${address}:${port}>`,
      'Content-Type: application/sdp',
    ],
    sdp,
  );
  try {
    return await ended;
  } finally {
    socket.close();
  }
}
