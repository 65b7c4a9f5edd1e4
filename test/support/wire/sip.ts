/** What of a SIP message tells which call it belongs to, and what happens to it. */
export interface SipMessage {
  /** Of a request its method, of a response that of the request it answers. */
  method: string;
  /** Undefined for a request. */
  status: number | undefined;
  callId: string;
  /** User part of the From header. */
  fromUser: string;
  /** Whether it belongs to a call that is there already: a request with a To tag. */
  inDialog: boolean;
}

/** Reads a message; undefined for what is none, such as a keep-alive. */
export function parseSip(text: string): SipMessage | undefined {
  const head = text.split('\r\n\r\n', 1)[0] ?? '';
  const [start = '', ...lines] = head.split('\r\n');
  const header = (name: string, short: string): string => {
    const found = lines.find((line) => new RegExp(`^(?:${name}|${short})\\s*:`, 'i').test(line));
    return found?.slice(found.indexOf(':') + 1).trim() ?? '';
  };
  const status = /^SIP\/2\.0 (\d{3}) /.exec(start)?.[1];
  const method =
    status === undefined
      ? /^([A-Z]+) \S+ SIP\/2\.0$/.exec(start)?.[1]
      : /^\d+\s+([A-Z]+)$/.exec(header('CSeq', 'cseq'))?.[1];
  const callId = header('Call-ID', 'i');
  if (method === undefined || callId === '') return undefined;
  return {
    method,
    status: status === undefined ? undefined : Number(status),
    callId,
    fromUser: /<?sips?:([^@>;]+)@/.exec(header('From', 'f'))?.[1] ?? '',
    inDialog: /;\s*tag=/.test(header('To', 't')),
  };
}
