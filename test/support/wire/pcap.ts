/** A datagram of a capture file. Asterisk's log of SIP has it as UDP whatever it came by. */
export interface Packet {
  /** Seconds since 1970, by the clock of whoever captured. */
  at: number;
  /** `address:port`; undefined on the side of the one who captured, of which Asterisk's log says nothing. */
  from: string | undefined;
  to: string | undefined;
  payload: Buffer;
}

const fileHeader = 24;
const recordHeader = 16;
const ethernetHeader = 14;
const udpHeader = 8;

/**
 * Reads a classic capture file (libpcap's format 2.4 of little-endian machines) of UDP over IPv4 in Ethernet frames; other
 * frames are passed over, and so is a last record that was cut off. @throws for another kind of file.
 */
export function readPcap(file: Buffer): Packet[] {
  if (file.length < fileHeader || file.readUInt32LE(0) !== 0xa1b2c3d4 || file.readUInt32LE(20) !== 1)
    throw new Error('not a capture file of Ethernet frames');
  const packets: Packet[] = [];
  for (let at = fileHeader; at + recordHeader <= file.length;) {
    const seconds = file.readUInt32LE(at) + file.readUInt32LE(at + 4) / 1e6;
    const begin = at + recordHeader;
    at = begin + file.readUInt32LE(at + 8);
    if (at > file.length) break;
    const packet = readFrame(file.subarray(begin, at));
    if (packet) packets.push({ at: seconds, ...packet });
  }
  return packets;
}

function readFrame(frame: Buffer): Omit<Packet, 'at'> | undefined {
  const [ip, udpProtocol] = [frame.subarray(ethernetHeader), 17];
  if (frame.length < 42 || frame.readUInt16BE(12) !== 0x0800 || ip[9] !== udpProtocol) return undefined;
  const udp = ip.subarray(((ip[0] ?? 0) & 0x0f) * 4);
  const place = (address: number, port: number): string | undefined => {
    const number = udp.readUInt16BE(port);
    return number === 0 ? undefined : `${ip.subarray(address, address + 4).join('.')}:${number}`;
  };
  return { from: place(12, 0), to: place(16, 2), payload: udp.subarray(udpHeader) };
}
