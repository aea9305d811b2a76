/**
 * Sends receipts in a message of their own (docs/spec/chain.md section 4), to the devices that are owed them and to no other. It is in
 * no chain and in no outbox: what is lost of it is owed still, and said anew.
 */
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { encodeContent } from '@sealwire/wire/envelope';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { EngineContext } from '../../engines/engine.ts';
import type { DirectSender } from '../direct-sender.ts';
import type { IncomingChains } from './incoming-chains.ts';

export interface ReceiptSenderOptions {
  readonly heard: IncomingChains;
  readonly context: EngineContext;
  readonly direct: DirectSender;
  readonly now: () => number;
}

export class ReceiptSender {
  readonly #options: ReceiptSenderOptions;

  constructor(options: ReceiptSenderOptions) {
    this.#options = options;
  }

  /** `period`: of the link. Resolves when the relay has answered, or the link is lost. Throws what a message to `to` would be refused with. */
  async send(to: AccountAddress, period: AbortSignal): Promise<void> {
    const { heard, context, direct, now } = this.#options;
    const { receipts, devices } = heard.receipts(to);
    const content = encodeContent({ type: RECEIPT_TYPE, body: new Uint8Array(0), sentAt: now(), receipts });
    if ((await direct.send({ to, devices, content, shown: false }, period)) !== 'accepted') return;
    const publish = await context.commit((transaction) => heard.told(transaction, to, receipts));
    publish();
  }
}
