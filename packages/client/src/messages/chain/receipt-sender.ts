/**
 * Sends receipts in messages of their own (docs/spec/chain.md section 4, docs/spec/messages.md section 7): to devices that are owed one and
 * may be told, to our own other ones, and notices to LIME devices of somebody else. They are in no chain and in no outbox: what is lost
 * of them is owed still, and said anew.
 */

import { IMDN_TYPE } from '@sealwire/cpim/imdn';
import { writeNotice } from '@sealwire/cpim/notice';
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { encodeContent, type Receipt } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { EngineContext } from '../../engines/engine.ts';
import { encodeCpim } from '../cpim-content.ts';
import type { DirectSender } from '../direct-sender.ts';
import { mayBeTold } from '../receipts/acquaintance.ts';
import { imdnOf, type OwedNotices } from '../receipts/owed-notices.ts';
import type { OwnDisplays } from '../receipts/own-displays.ts';
import { type IncomingChains, isSame } from './incoming-chains.ts';

export interface ReceiptSenderOptions {
  readonly heard: IncomingChains;
  readonly displays: OwnDisplays;
  readonly notices: OwedNotices;
  readonly context: EngineContext;
  readonly direct: DirectSender;
  readonly me: DeviceId;
  readonly now: () => number;
}

interface Told {
  readonly receipts: readonly Receipt[];
  readonly devices: readonly DeviceId[];
}

const NOBODY: Told = { receipts: [], devices: [] };

export class ReceiptSender {
  readonly #options: ReceiptSenderOptions;

  constructor(options: ReceiptSenderOptions) {
    this.#options = options;
  }

  /**
   * `period`: of the link. Resolves when the relay has answered, or the link is lost, with whether there is more for `to`: one notice at a
   * time, so that none of them keeps a message of the user waiting. Throws what a message to `to` would be refused with.
   */
  async send(to: AccountAddress, period: AbortSignal): Promise<boolean> {
    const { heard, displays, context, me } = this.#options;
    const mayTell = mayBeTold(context.records, accountOf(me), to);
    const theirs = mayTell ? heard.receipts(to) : NOBODY;
    const ours = displays.receipts(to);
    // What its senders are told anyway our own devices may read along.
    const isOne = ours.receipts.every((own) => theirs.receipts.some((receipt) => isSame(own, receipt)));
    const messages = isOne ? [{ ...theirs, devices: [...theirs.devices, ...ours.devices] }] : [theirs, ours];
    for (const message of messages) if (!(await this.#tell(to, message, period))) return false;
    return mayTell && this.#sendNotice(to, period);
  }

  /** False: the relay does not take it now. */
  async #tell(to: AccountAddress, { receipts, devices }: Told, period: AbortSignal): Promise<boolean> {
    const { heard, displays, context, direct, me, now } = this.#options;
    if (receipts.length === 0) return true;
    const content = encodeContent({ type: RECEIPT_TYPE, body: new Uint8Array(0), sentAt: now(), receipts });
    if ((await direct.send({ to, devices, content, shown: false }, period)) !== 'accepted') return false;
    const reached = (isOwn: boolean) => devices.some((device) => (accountOf(device) === accountOf(me)) === isOwn);
    const publish = await context.commit((transaction) => {
      if (reached(true)) displays.told(transaction, to, receipts);
      return heard.told(transaction, to, receipts);
    });
    publish();
    return true;
  }

  /** Whether there are more. */
  async #sendNotice(to: AccountAddress, period: AbortSignal): Promise<boolean> {
    const { notices, context, direct, me, now } = this.#options;
    const [notice] = notices.waiting(to);
    if (!notice) return false;
    const body = writeNotice(imdnOf(notice));
    const content = encodeCpim({ type: IMDN_TYPE, body, sentAt: now() }, me, to);
    const outcome = await direct.send({ to, devices: [notice.device], content, shown: false }, period);
    if (outcome === 'later') return false;
    await context.commit((transaction) => notices.done(transaction, notice));
    return notices.waiting(to).length > 0;
  }
}
