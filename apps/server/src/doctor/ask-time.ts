/**
 * One question to an NTP server, as a client by RFC 5905 section 14 (SNTP): how far is this clock from its? What is sent says nothing of
 * this machine: the transmit timestamp is random, and an answer that does not repeat it is nobody's.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { systemRandom } from '@sealwire/crypto/random';

export const NTP_PORT = 123;
const BYTES = 48;
/** No warning, version 4, mode 3 (client). */
const CLIENT = 0x23;
const MODE_SERVER = 4;
const UNSYNCHRONISED = 3;
const MOST_STRATUM = 15;
const STAMP = { origin: 24, receive: 32, transmit: 40, bytes: 8 } as const;
/** Between the beginnings of the two counts: 1900 and 1970. */
const EPOCH_SECONDS = 2_208_988_800;
const ERA_SECONDS = 2 ** 32;
/** A datagram may get lost. */
const ATTEMPTS = 3;

export interface NtpAnswer {
  /** What has to be added to this clock, ms. */
  readonly offsetMs: number;
  /** There and back, ms; the offset may be wrong by half of it. */
  readonly delayMs: number;
}

export interface NtpTerms {
  readonly host: string;
  readonly port: number;
  readonly now: () => number;
  /** For all attempts. */
  readonly patienceMs: number;
}

/** Rejects with an `Error` whose message is what is wrong with the server, or with a system error. */
export async function askTime(terms: NtpTerms): Promise<NtpAnswer> {
  for (let attempt = 1; ; attempt++)
    try {
      return await askOnce(terms, terms.patienceMs / ATTEMPTS);
    } catch (error) {
      if (!(error instanceof NoAnswer) || attempt === ATTEMPTS) throw error;
    }
}

class NoAnswer extends Error {}

function askOnce({ host, port, now }: NtpTerms, withinMs: number): Promise<NtpAnswer> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  const request = Buffer.alloc(BYTES);
  request[0] = CLIENT;
  request.set(systemRandom(STAMP.bytes), STAMP.transmit);
  return new Promise<NtpAnswer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoAnswer('does not answer')), withinMs);
    let asked = 0;
    socket.once('error', reject);
    socket.on('message', (answer) => {
      const heard = now();
      const isOurs =
        answer.length >= BYTES && request.compare(answer, STAMP.origin, STAMP.receive, STAMP.transmit, BYTES) === 0;
      if (!isOurs) return;
      const fault = faultOf(answer);
      if (fault !== undefined) return reject(new Error(fault));
      const [received, sent] = [timeIn(answer, STAMP.receive), timeIn(answer, STAMP.transmit)];
      resolve({ offsetMs: (received - asked + (sent - heard)) / 2, delayMs: heard - asked - (sent - received) });
    });
    // Connected: what others send is not heard, and a port without a server is told.
    socket.connect(port, host, () => {
      asked = now();
      socket.send(request);
    });
    socket.once('close', () => clearTimeout(timer));
  }).finally(() => socket.close());
}

/** RFC 4330 section 5. */
function faultOf(answer: Buffer): string | undefined {
  const [head = 0, stratum = 0] = answer;
  if ((head & 7) !== MODE_SERVER) return 'answers, and not as an NTP server';
  if (stratum === 0) return `refuses (${answer.toString('latin1', 12, 16).replace(/[^A-Z]/g, '')})`;
  if (head >> 6 === UNSYNCHRONISED || stratum > MOST_STRATUM) return 'does not know the time itself';
  return undefined;
}

/** ms since 1970; the count began anew in 2036. */
function timeIn(answer: Buffer, at: number): number {
  const seconds = answer.readUInt32BE(at);
  const era = seconds >= ERA_SECONDS / 2 ? 0 : ERA_SECONDS;
  return (seconds + era - EPOCH_SECONDS) * 1_000 + (answer.readUInt32BE(at + 4) / ERA_SECONDS) * 1_000;
}
