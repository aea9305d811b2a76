/**
 * One attempt to send a message of the outbox: for whom, encrypted in one durable write, packed into frames (docs/spec/client.md section
 * 5, steps 2 and 3).
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { decodeContent, encodeEnvelope } from '@sealwire/wire/envelope';
import type { Part } from '@sealwire/wire/frames';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { DeviceAuthority } from '../accounts/device-authority.ts';
import { keptOut } from '../accounts/kept-out.ts';
import type { PeerBook } from '../accounts/peer-book.ts';
import type { PeerRecord } from '../accounts/peer-record.ts';
import type { EngineContext, EngineDevice } from '../engines/engine.ts';
import type { Engines } from '../engines/engines.ts';
import type { GroupAudience, GroupAudiences } from '../groups/group-audiences.ts';
import type { IncomingChains } from './chain/incoming-chains.ts';
import type { OutgoingChains } from './chain/outgoing-chains.ts';
import { encodeCpim } from './cpim-content.ts';
import { type FanOut, fanOut, refuseNobody } from './fan-out.ts';
import type { Outbox, OutboxEntry, SkippedDevice } from './outbox.ts';
import { sendFrames } from './send-frames.ts';
import { keptOutOf } from './skipped-devices.ts';

/** A manifest this old is asked for again; the relay tells of changes in between by refusing. */
const MANIFEST_AGE_MS = 60 * 60_000;
const NOTHING = new Uint8Array(0);

export interface SealerOptions {
  readonly outbox: Outbox;
  readonly book: PeerBook;
  readonly engines: Engines;
  readonly context: EngineContext;
  readonly heard: IncomingChains;
  readonly written: OutgoingChains;
  readonly groups: GroupAudiences;
  readonly me: DeviceId;
  readonly random: RandomBytes;
  /** Absent: nobody is asked for a certificate. */
  readonly authority?: DeviceAuthority | undefined;
}

export class MessageSealer {
  readonly #options: SealerOptions;
  readonly #own: AccountAddress;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#own = accountOf(options.me);
  }

  /** Undefined when there is no device to send to: a note to self of the only device, or all that were left have gone. */
  async seal(entry: OutboxEntry, gone: ReadonlySet<DeviceId>): Promise<OutboxEntry | undefined> {
    const { outbox, book, engines, context, heard, written, me, random } = this.#options;
    const { to, taken = [] } = entry;
    const served = taken.flatMap(({ devices }) => devices);
    const isServed = (device: DeviceId) => served.some((other) => accountOf(other) === accountOf(device));
    const { peers, dressed, isNews, told } = await this.#audience(entry);
    const own = await book.current(this.#own, MANIFEST_AGE_MS);
    const all = fanOut(peers, own, me, gone);
    if (to !== this.#own && !isGroupAddress(to)) refuseNobody(peers[0]!, all.recipients);
    const kept = await this.#keptOut(entry, [...peers, own], all, isNews);
    // Who joins an account that has the message is not owed it, and the relay would want all of the account's devices again.
    const absent = kept.filter(({ device }) => !isServed(device));
    const isLeft = ({ id }: EngineDevice) => !isServed(id) && !absent.some(({ device }) => device === id);
    const recipients = all.recipients.filter(isLeft);
    const copies = all.copies.filter(isLeft);
    // What was said of accounts that have the message stays said.
    const notFor = [...keptOutOf(entry.skipped ?? []).filter(({ device }) => isServed(device)), ...absent];
    const devices = [...recipients, ...copies].map(({ id }) => id);
    if (devices.length === 0 && served.length > 0) {
      outbox.replace({ ...entry, skipped: notFor });
      return undefined;
    }
    if (devices.length === 0) {
      const { version } = own.manifest;
      // Nobody refuses what is sent to nobody: a device that joined unheard of must not miss it.
      if ((await book.refresh(this.#own)).manifest.version === version) return undefined;
      return this.seal(entry, gone);
    }
    const named = [...peers, own].flatMap(({ manifest }) => manifest.devices.map(({ id }) => id));
    const saidGone: readonly SkippedDevice[] = [...new Set(named)]
      .filter((device) => gone.has(device) && device !== me)
      .map((device) => ({ device, reason: 'said-gone' }));
    const plaintext = written.compose(to, dressed, [...served, ...devices], heard.receipts(to).receipts);
    const relayId = outbox.relayIdFor(entry, random);
    let sealedEntry = entry;
    let publish: (() => void) | undefined;
    // A device without a login key is a LIME client of somebody else, and all of a message's devices share one plaintext.
    const isForeign = [...recipients, ...copies].some(({ loginKey }) => loginKey.length === 0);
    const encrypted = isForeign ? encodeCpim(decodeContent(plaintext), me, to) : plaintext;
    const draft = { recipientUser: to, recipients, copies, plaintext: encrypted };
    await engines.seal(draft, context, (transaction, { engine, parts, cipherMessage, unserved }) => {
      const body = encodeEnvelope({ engine, recipientUser: to, cipherMessage });
      // An empty part each, as for a device without keys: the relay compares all of an account's devices with its list.
      const frames = sendFrames({
        relayId,
        body,
        parts: [...parts, ...absent.map(({ device }) => ({ device, content: NOTHING }))],
        own: this.#own,
        isOwnServed: isServed(me),
      });
      publish = written.sealed(transaction, to, plaintext, [...served, ...servedBy(parts)], named);
      sealedEntry = outbox.seal(transaction, entry, {
        relayId,
        frames,
        plaintext,
        skipped: [...notFor, ...saidGone, ...unserved],
      });
      publish = both(publish, told(transaction, entry));
    });
    outbox.replace(sealedEntry);
    publish?.();
    return sealedEntry;
  }

  /** Those of `all` that policy keeps out, where the others get it. Throws why it is refused, as where nobody would be left. */
  async #keptOut(
    { to, onKeptOut = 'refuse' }: OutboxEntry,
    accounts: readonly PeerRecord[],
    all: FanOut,
    isNews: boolean,
  ): Promise<readonly SkippedDevice[]> {
    const { book, context, authority } = this.#options;
    const present = [...all.recipients, ...all.copies];
    const addressees = accounts.map((peer) => ({
      peer,
      devices: present.filter(({ id }) => accountOf(id) === peer.address),
    }));
    const policies = {
      records: context.records,
      own: this.#own,
      authority,
      refresh: (account: AccountAddress) => book.refresh(account),
    };
    const { devices, refusal } = await keptOut(policies, onKeptOut, to, addressees, isNews);
    const wanted = all.recipients.length > 0 ? all.recipients : all.copies;
    if (refusal && wanted.every(({ id }) => devices.some(({ device }) => device === id))) throw refusal;
    return devices;
  }

  /** Whom it is for, beside our own devices, and what it says of the group that it is for. */
  async #audience(entry: OutboxEntry): Promise<GroupAudience> {
    const { outbox, book, groups } = this.#options;
    const plaintext = outbox.plaintextOf(entry);
    if (isGroupAddress(entry.to)) return groups.audience(entry.to, plaintext, MANIFEST_AGE_MS);
    const peers = entry.to === this.#own ? [] : [await book.current(entry.to, MANIFEST_AGE_MS)];
    return { peers, dressed: plaintext, isNews: false, told: () => () => {} };
  }
}

function both(one: (() => void) | undefined, other: () => void): () => void {
  return () => {
    one?.();
    other();
  };
}

function servedBy(parts: readonly Part[]): DeviceId[] {
  return parts.filter(({ content }) => content.length > 0).map(({ device }) => device);
}
