/**
 * Sends receipts in a message of their own (docs/spec/chain.md section 4), to the devices that are owed them and to no other. It is in
 * no chain and in no outbox: what is lost of it is owed still, and said anew.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { encodeContent, encodeEnvelope } from '@sealwire/wire/envelope';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type AccountAddress, accountOf, type DeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { PeerBook } from '../../accounts/peer-book.ts';
import type { EngineContext } from '../../engines/engine.ts';
import type { Engines } from '../../engines/engines.ts';
import { among } from '../fan-out.ts';
import type { InFlight } from '../in-flight.ts';
import type { IncomingChains } from './incoming-chains.ts';

export interface ReceiptSenderOptions {
  readonly heard: IncomingChains;
  readonly book: PeerBook;
  readonly engines: Engines;
  readonly context: EngineContext;
  readonly inFlight: InFlight;
  readonly me: DeviceId;
  readonly random: RandomBytes;
  readonly now: () => number;
}

export class ReceiptSender {
  readonly #options: ReceiptSenderOptions;

  constructor(options: ReceiptSenderOptions) {
    this.#options = options;
  }

  /** `period`: of the link. Resolves when the relay has answered, or the link is lost. Throws what a message to `to` would be refused with. */
  async send(to: AccountAddress, period: AbortSignal): Promise<void> {
    const { heard, book, engines, context, inFlight, me, random, now } = this.#options;
    const { receipts, devices } = heard.receipts(to);
    const accounts = [...new Set(devices.map(accountOf))].flatMap((account) => book.find(account) ?? []);
    const { recipients, copies } = among(accounts, accountOf(me), devices);
    if (recipients.length + copies.length === 0) return;
    const plaintext = encodeContent({ type: RECEIPT_TYPE, body: new Uint8Array(0), sentAt: now(), receipts });
    const id = parseMessageId(random(LIMITS.messageIdBytes.value));
    const draft = { recipientUser: to, recipients, copies, plaintext };
    const { engine, parts, cipherMessage } = await engines.seal(draft, context, () => {});
    const body = encodeEnvelope({ engine, recipientUser: to, cipherMessage });
    if (period.aborted) return;
    const frame = encodeClientFrame({ kind: 'send', id, body, parts, allDevices: false });
    const outcome = await inFlight.send(encodeBase64url(id), frame);
    if (outcome.kind !== 'accepted') return;
    const publish = await context.commit((transaction) => heard.told(transaction, to, receipts));
    publish();
  }
}
