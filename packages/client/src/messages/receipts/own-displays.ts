/**
 * What the user has been shown on one device of the account, told to its other ones (docs/spec/messages.md section 7): whatever the level of
 * the conversation, since nobody else learns of it. Table `displayed`, key `displayed/DEVICE`: the chain in which that device writes to us.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { deviceTag } from '@sealwire/wire/chain';
import { RECEIPTS, type Receipt } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { readPeer } from '../../accounts/peer-record.ts';
import type { DisplayedElsewhereEvent } from '../../events.ts';
import type { Ledger, Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import type { IncomingChains } from '../chain/incoming-chains.ts';

const TABLE = 'displayed/';

interface StoredDisplay {
  /** Number in the chain. */
  readonly upTo: number;
  /** Our other devices do not know. */
  readonly untold?: true;
}

export class OwnDisplays {
  readonly #ledger: Ledger;
  readonly #crypto: CryptoProvider;
  readonly #heard: IncomingChains;
  readonly #me: DeviceId;

  constructor(ledger: Ledger, crypto: CryptoProvider, heard: IncomingChains, me: DeviceId) {
    this.#ledger = ledger;
    this.#crypto = crypto;
    this.#heard = heard;
    this.#me = me;
  }

  /** The user has been shown what `sender` wrote to us, up to `number`, on this device. */
  displayed(transaction: Transaction, sender: DeviceId, number: number): void {
    const { upTo = 0 } = read(transaction, sender) ?? {};
    const newest = this.#heard.receiptWith(transaction, { sender, recipientUser: accountOf(this.#me) }, 0)?.number ?? 0;
    if (number <= upTo || number > newest) return;
    const isTold = this.#others(transaction).length === 0;
    transaction.set(TABLE + sender, encodeRecord({ upTo: number, ...(!isTold && { untold: true }) }));
  }

  /** Another device of ours says what it has shown, in a conversation: what is news. */
  heard(
    transaction: Transaction,
    conversation: AccountAddress,
    by: DeviceId,
    receipts: readonly Receipt[],
  ): DisplayedElsewhereEvent[] {
    const senders = readPeer(transaction, conversation)?.manifest.devices ?? [];
    return receipts.flatMap(({ device: tag, displayed: upTo }) => {
      const isTags = (id: DeviceId) => encodeBase64url(deviceTag(this.#crypto, id)) === encodeBase64url(tag);
      const device = senders.find(({ id }) => isTags(id))?.id;
      if (!device || upTo <= (read(transaction, device)?.upTo ?? 0)) return [];
      transaction.set(TABLE + device, encodeRecord({ upTo }));
      return [{ kind: 'displayed-elsewhere', conversation, by, device, upTo } as const];
    });
  }

  /** Conversations of which our other devices are to be told. */
  owing(): AccountAddress[] {
    return [...new Set(this.#untold(this.#ledger).map(accountOf))];
  }

  /** What is to be told in a conversation, and to which devices. */
  receipts(conversation: AccountAddress): { readonly receipts: Receipt[]; readonly devices: DeviceId[] } {
    const receipts = this.#untold(this.#ledger)
      .filter((sender) => accountOf(sender) === conversation)
      .flatMap((sender) => this.#receiptOf(this.#ledger, sender) ?? [])
      .slice(0, RECEIPTS);
    return { receipts, devices: receipts.length > 0 ? this.#others(this.#ledger) : [] };
  }

  /** The server has taken these receipts for our other devices. */
  told(transaction: Transaction, conversation: AccountAddress, receipts: readonly Receipt[]): void {
    for (const sender of this.#untold(transaction)) {
      if (accountOf(sender) !== conversation) continue;
      const tag = encodeBase64url(deviceTag(this.#crypto, sender));
      const said = receipts.find(({ device }) => encodeBase64url(device) === tag);
      const { upTo } = read(transaction, sender)!;
      if (said && said.displayed >= upTo) transaction.set(TABLE + sender, encodeRecord({ upTo }));
    }
  }

  /** The device has left its account's manifest for good. */
  forget(transaction: Transaction, sender: DeviceId): void {
    transaction.delete(TABLE + sender);
  }

  #receiptOf(records: Records, sender: DeviceId): Receipt | undefined {
    const name = { sender, recipientUser: accountOf(this.#me) };
    return this.#heard.receiptWith(records, name, read(records, sender)?.upTo ?? 0);
  }

  #untold(records: Records): DeviceId[] {
    const senders = records.keys(TABLE).map((key) => key.slice(TABLE.length) as DeviceId);
    return senders.filter((sender) => read(records, sender)?.untold);
  }

  /** Our other devices that know what receipts are: a LIME client of others would show them as messages. */
  #others(records: Records): DeviceId[] {
    const devices = readPeer(records, accountOf(this.#me))?.manifest.devices ?? [];
    return devices.filter(({ id, loginKey }) => id !== this.#me && loginKey.length > 0).map(({ id }) => id);
  }
}

function read(records: Records, sender: DeviceId): StoredDisplay | undefined {
  const stored = records.get(TABLE + sender);
  return stored && decodeRecord<StoredDisplay>(stored).header;
}
