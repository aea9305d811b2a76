/**
 * Sends one content to devices that are named, and to no other: in no chain of its own and in no outbox. Receipts go that way
 * (docs/spec/chain.md section 4), and what heals a session (docs/spec/healing.md).
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { encodeEnvelope } from '@sealwire/wire/envelope';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type AccountAddress, accountOf, type DeviceId, parseMessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { DeviceAuthority } from '../accounts/device-authority.ts';
import type { PeerBook } from '../accounts/peer-book.ts';
import { refuseUntrusted } from '../accounts/trust-policy.ts';
import type { EngineContext } from '../engines/engine.ts';
import type { Engines } from '../engines/engines.ts';
import type { Transaction } from '../storage/ledger.ts';
import { among } from './fan-out.ts';
import { writeUnshown } from './healing/kept-messages.ts';
import type { InFlight } from './in-flight.ts';

export interface DirectSenderOptions {
  readonly book: PeerBook;
  readonly engines: Engines;
  readonly context: EngineContext;
  readonly inFlight: InFlight;
  readonly transmit: (frame: Uint8Array) => void;
  readonly me: DeviceId;
  readonly random: RandomBytes;
  /** Absent: nobody is asked for a certificate. */
  readonly authority?: DeviceAuthority | undefined;
}

export interface DirectMessage {
  /** The account that it is encrypted for. */
  readonly to: AccountAddress;
  readonly devices: readonly DeviceId[];
  /** `Content`, encoded; for a LIME device of somebody else CPIM. */
  readonly content: Uint8Array;
  /** Whether an application is shown it. */
  readonly shown: boolean;
  /** Handed over to who is connected: never stored, never answered. */
  readonly fleeting?: true;
}

/** `accepted` of what is fleeting: it was sent. `nobody`: no manifest names one of the devices any more. `later`: the link is lost, or the relay refuses it for now. */
export type DirectOutcome = 'accepted' | 'refused' | 'later' | 'nobody';

export class DirectSender {
  readonly #options: DirectSenderOptions;

  constructor(options: DirectSenderOptions) {
    this.#options = options;
  }

  /**
   * `period`: of the link. `also` runs in the transaction that changes the ratchets. Resolves when the relay has answered, or the link is
   * lost. Throws what a message to `to` would be refused with.
   */
  async send(
    message: DirectMessage,
    period: AbortSignal,
    also: (transaction: Transaction) => void = () => {},
  ): Promise<DirectOutcome> {
    const { book, engines, context, inFlight, transmit, me, random, authority } = this.#options;
    const { to, devices, content: plaintext, shown, fleeting } = message;
    const accounts = [...new Set(devices.map(accountOf))].flatMap((account) => book.find(account) ?? []);
    const { recipients, copies } = among(accounts, accountOf(me), devices);
    if (recipients.length + copies.length === 0) return 'nobody';
    if (shown)
      for (const account of accounts) {
        refuseUntrusted(context.records, accountOf(me), to, account, recipients);
        authority?.refuseUncertified(account);
      }
    const id = parseMessageId(random(LIMITS.messageIdBytes.value));
    const draft = { recipientUser: to, recipients, copies, plaintext };
    const { engine, parts, cipherMessage } = await engines.seal(draft, context, (transaction) => {
      if (!shown) writeUnshown(transaction, id);
      also(transaction);
    });
    const body = encodeEnvelope({ engine, recipientUser: to, cipherMessage });
    if (period.aborted) return 'later';
    if (fleeting) {
      transmit(encodeClientFrame({ kind: 'ephemeral', body, parts }));
      return 'accepted';
    }
    const frame = encodeClientFrame({ kind: 'send', id, body, parts, allDevices: false, ownElsewhere: false });
    const outcome = await inFlight.send(encodeBase64url(id), frame);
    if (outcome.kind === 'accepted') return 'accepted';
    return outcome.kind === 'offline' || outcome.retryable ? 'later' : 'refused';
  }
}
