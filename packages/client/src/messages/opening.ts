/** One delivery, from the sender's device in its account's manifest to the plaintext (docs/spec/client.md section 6, steps 2 and 3). */
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type Content, decodeEnvelope } from '@sealwire/wire/envelope';
import type { Deliver } from '@sealwire/wire/frames';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { deviceOf, type PeerRecord, readPeer, trustIn } from '../accounts/peer-record.ts';
import type { Engines } from '../engines/engines.ts';
import type { IncomingMessage } from '../events.ts';
import { hasGroup } from '../groups/group-store.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import { readPlaintext } from './bare-plaintext.ts';
import type { ChainName, IncomingChains } from './chain/incoming-chains.ts';
import { isOf, type Shown, shownOf } from './cpim-content.ts';

const LIME = 'lime';
const SERVER_INTERNAL_ERROR = 500;

export interface Refusal {
  readonly code: string;
  readonly suspect?: DeviceId;
  readonly sessionBroken?: true;
  /** For the sender: a status code of SIP. */
  readonly statusCode?: number;
}

export interface Opened {
  readonly message: IncomingMessage & Pick<Shown, 'reactionTo'>;
  readonly chain: ChainName;
  readonly content: Content | undefined;
  /** What it was made from. */
  readonly decrypted: Decrypted;
}

/** A delivery whose encryption is off. */
export interface Decrypted {
  readonly sender: DeviceId;
  readonly recipientUser: AccountAddress;
  /** The relay's, base64url. */
  readonly relayId: string;
  readonly engine: string;
  /** ms, the relay's clock. */
  readonly acceptedAt: number;
  readonly plaintext: Uint8Array;
}

export interface OpeningOptions {
  readonly engines: Engines;
  readonly heard: IncomingChains;
  readonly me: DeviceId;
}

/** The engine's changes live in `transaction` only when it is opened. */
export function open(
  { engines, heard, me }: OpeningOptions,
  transaction: Transaction,
  { sender, content, body, acceptedAt, id }: Deliver,
): Opened | { readonly refused: Refusal } {
  const peer = readPeer(transaction, accountOf(sender));
  const device = peer && deviceOf(peer, sender);
  if (!peer || !device) return { refused: { code: 'ghost-device' } };
  try {
    const { engine, recipientUser, cipherMessage } = decodeEnvelope(body);
    const conversation = conversationOf(peer, recipientUser, accountOf(me));
    if (!conversation) return { refused: { code: 'wrong-recipient' } };
    const received = { sender: device, conversation, recipientUser, content, cipherMessage };
    const result = engines.open(engine, received, transaction);
    if (result.status !== 'done') {
      // The name of a conversation is not authenticated yet: made-up ones must not fill the storage.
      const isKnown = readPeer(transaction, recipientUser) || hasGroup(transaction, recipientUser);
      if (recipientUser === accountOf(me) || isKnown) heard.unreadable(transaction, { sender, recipientUser });
      return { refused: result.status === 'error' ? result : { code: 'unknown-engine' } };
    }
    const decrypted = { sender, recipientUser, relayId: encodeBase64url(id), engine, acceptedAt };
    return openedOf(transaction, accountOf(me), { ...decrypted, plaintext: result.value });
  } catch (error) {
    // Whatever one message does to an engine, it must not come again and again and keep out all that follow.
    if (error instanceof WireError) return { refused: { code: error.code } };
    return { refused: { code: 'engine-failed', statusCode: SERVER_INTERNAL_ERROR } };
  }
}

/** `own`: the account of this device. Its sender is still in its account's manifest, or the message is refused. */
export function openedOf(
  records: Records,
  own: AccountAddress,
  decrypted: Decrypted,
): Opened | { readonly refused: Refusal } {
  const { sender, recipientUser, relayId, engine, acceptedAt, plaintext } = decrypted;
  const peer = readPeer(records, accountOf(sender));
  const conversation = peer && conversationOf(peer, recipientUser, own);
  if (!peer || !conversation || !deviceOf(peer, sender)) return { refused: { code: 'ghost-device' } };
  const plain = readPlaintext(plaintext);
  // LIME says who encrypted it; a message that names another account as its author is shown by nobody.
  if (plain.kind === 'cpim' && !isOf(plain.author, peer.address)) return { refused: { code: 'wrong-author' } };
  const shown = shownOf(plain, peer.address);
  const message: Opened['message'] = {
    kind: 'message',
    id: plain.id ?? relayId,
    from: peer.address,
    device: sender,
    conversation,
    ...shown,
    body: shown.body.slice(),
    sentAt: plain.sentAt || acceptedAt,
    acceptedAt,
    trust: trustIn(peer, sender),
    ...(engine !== LIME && { engine }),
    ...(plain.kind !== 'bare' && plain.link && { number: plain.link.number }),
    ...(plain.kind === 'bare' && { bare: true }),
  };
  const content = plain.kind === 'bare' ? undefined : plain;
  return { message, chain: { sender, recipientUser }, content, decrypted };
}

/** Undefined when the encryption was bound to somebody else: a message for another must not be shown as one for us. */
function conversationOf(
  sender: PeerRecord,
  recipientUser: AccountAddress,
  own: AccountAddress,
): AccountAddress | undefined {
  if (sender.address === own || isGroupAddress(recipientUser)) return recipientUser;
  return recipientUser === own ? sender.address : undefined;
}
