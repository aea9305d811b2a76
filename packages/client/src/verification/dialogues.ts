/**
 * The comparisons that are under way (docs/spec/verification.md section 4), one a person, in memory: each ends after five minutes, and one
 * that is interrupted has changed nothing.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { type AccountAddress, accountOf, type DeviceId, nameOf } from '@sealwire/wire/ids';
import { decodeVerification, VERIFICATION_ID_BYTES, type VerificationMessage } from '@sealwire/wire/verification';
import type { PeerBook } from '../accounts/peer-book.ts';
import type { PeerRecord } from '../accounts/peer-record.ts';
import { ClientError, isStorageBroken } from '../errors.ts';
import type { IncomingMessage } from '../events.ts';
import { refuseUnsafe } from '../messages/fan-out.ts';
import { mayBeTold } from '../messages/receipts/acquaintance.ts';
import { reasonOf } from '../messages/sending-errors.ts';
import type { Ledger } from '../storage/ledger.ts';
import { forgetAttempts, isLocked, refuseLocked, spendAttempt } from './attempts.ts';
import { Dialogue, ForgedError, type VerificationEnd } from './dialogue.ts';
import { OpenDialogues } from './open-dialogues.ts';
import { Speaker, type SpeakerOptions } from './speaker.ts';
import { contradiction, listeners } from './stated-list.ts';
import type { Verdicts } from './verdicts.ts';

export interface DialoguesOptions extends Omit<SpeakerOptions, 'unheard'> {
  readonly ledger: Ledger;
  readonly book: PeerBook;
  readonly verdicts: Verdicts;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly me: DeviceId;
}

export class Dialogues {
  readonly #options: DialoguesOptions;
  readonly #own: AccountAddress;
  readonly #speaker: Speaker;
  readonly #open: OpenDialogues;
  /** Resolves when our key is on its way: nothing else may be said before. */
  readonly #keySaid = new WeakMap<Dialogue, Promise<void>>();

  constructor(options: DialoguesOptions) {
    this.#options = options;
    this.#own = accountOf(options.me);
    this.#speaker = new Speaker({ ...options, unheard: (dialogue) => this.#end(dialogue, 'unreachable') });
    this.#open = new OpenDialogues(options.timers, (dialogue) => {
      void this.#endSaying(dialogue, 'late');
      this.#clear(dialogue);
    });
  }

  list(): Dialogue[] {
    return this.#open.list();
  }

  /** Calls `listener` at each change; the answer ends that. */
  onChange(listener: (dialogue: Dialogue) => void): () => void {
    return this.#open.onChange(listener);
  }

  /** There is a link again. */
  online(): void {
    this.#speaker.online();
  }

  close(): void {
    for (const dialogue of this.#open.all()) {
      this.#end(dialogue, 'closed');
      this.#clear(dialogue);
    }
  }

  /** Throws `verification-busy`, `verification-locked`, `unsafe-device`, `bad-request`, and as `PeerBook.refresh`. */
  async request(address: AccountAddress): Promise<Dialogue> {
    const { book, random, now, ledger } = this.#options;
    const name = nameOf(address);
    const peer = await book.refresh(address);
    const own = await this.#ownRecord();
    refuseLocked(ledger, address, now());
    refuseUnsafe(peer);
    const devices = listeners(peer);
    if (devices.length === 0 || address === this.#own)
      throw new ClientError(
        'bad-request',
        `there is no device of ${name} to compare characters with: compare keys or the safety number`,
      );
    if (this.#open.with(address))
      throw new ClientError('verification-busy', `a comparison with ${name} is under way: end it first`);
    const dialogue = this.#begin(own, peer, random(VERIFICATION_ID_BYTES));
    this.#speaker.say(dialogue, devices, { kind: 'request', id: dialogue.id });
    return dialogue;
  }

  /** Throws `verification-over`, `verification-locked`, `unsafe-device`. */
  accept(id: string): void {
    const { random, now, ledger, book, me } = this.#options;
    const dialogue = this.#open.at(id, 'offered');
    refuseLocked(ledger, dialogue.peer, now());
    const peer = book.find(dialogue.peer);
    if (peer) refuseUnsafe(peer);
    const own = book.find(this.#own);
    const others = own ? listeners(own).filter((device) => device !== me) : [];
    this.#speaker.say(dialogue, [dialogue.device!, ...others], dialogue.accept(random));
    this.#open.changed(dialogue);
  }

  /** The user says that the characters agree. What becomes of it is a change of the dialogue. Throws `verification-over`. */
  async confirm(id: string): Promise<void> {
    const { crypto } = this.#options;
    const [own] = await Promise.all([this.#ownRecord(), this.#keySaid.get(this.#open.at(id, 'comparing'))]);
    const dialogue = this.#open.at(id, 'comparing');
    const list = { version: own.manifest.version, digest: crypto.sha256(own.bytes) };
    this.#speaker.say(dialogue, [dialogue.device!], dialogue.confirm(list));
    this.#open.changed(dialogue);
    await this.#finish(dialogue);
  }

  /** The user says that they differ: somebody is between the two, and nothing is sent to the account any more. */
  async different(id: string): Promise<void> {
    const { verdicts, ledger } = this.#options;
    const dialogue = this.#open.at(id, 'comparing', 'waiting');
    // On its way before the account is unsafe: the other user has to know, too.
    const told = this.#endSaying(dialogue, 'different');
    await ledger.commit((transaction) => {
      verdicts.different(transaction, dialogue.peer);
    });
    await told;
  }

  /** Resolves when the other side has been told, if that can be. Throws `verification-over`. */
  async cancel(id: string): Promise<void> {
    await this.#endSaying(this.#open.at(id), 'cancelled');
  }

  /** A message of this kind, once it is durable that it has come. */
  received(incoming: IncomingMessage): void {
    const message = read(incoming);
    if (!message) return;
    const { device, from } = incoming;
    if (message.kind === 'request') {
      this.#offered(incoming, message.id.slice());
      return;
    }
    const dialogue = this.#open.find(message.id);
    if (from === this.#own) {
      // Another device of ours was quicker.
      if (message.kind === 'accept' && dialogue?.step === 'offered') this.#end(dialogue, 'elsewhere');
      return;
    }
    const isSomebodyElse = dialogue?.device !== undefined && dialogue.device !== device;
    if (!dialogue || from !== dialogue.peer || isSomebodyElse) {
      if (message.kind === 'accept') this.#refuse(incoming, message.id, isSomebodyElse ? 'elsewhere' : 'cancelled');
      return;
    }
    if (dialogue.isOver) return;
    try {
      this.#take(dialogue, device, message);
    } catch (error) {
      if (!(error instanceof ForgedError)) throw error;
      void this.#endSaying(dialogue, 'forged');
    }
  }

  #take(dialogue: Dialogue, device: DeviceId, message: Exclude<VerificationMessage, { kind: 'request' }>): void {
    const { random } = this.#options;
    const { role, step } = dialogue;
    if (message.kind === 'cancel') this.#end(dialogue, message.reason);
    else if (message.kind === 'accept' && role === 'requester')
      this.#sayKey(dialogue, dialogue.accepted(device, message, random));
    else if (message.kind === 'key' && role === 'accepter' && step !== 'offered')
      this.#sayKey(dialogue, dialogue.shown(message));
    else if (message.kind === 'reveal' && role === 'requester' && step !== 'requested') dialogue.revealed(message);
    else if (message.kind === 'confirm' && ['comparing', 'waiting'].includes(step)) {
      dialogue.confirmed(message);
      void this.#finish(dialogue);
    } else throw new ForgedError();
    if (dialogue.step !== step && !dialogue.isOver) this.#open.changed(dialogue);
  }

  #offered(incoming: IncomingMessage, id: Uint8Array): void {
    const { book, now, ledger } = this.#options;
    const { from, device, acceptedAt } = incoming;
    const peer = book.find(from);
    const own = book.find(this.#own);
    if (!peer || !own || from === this.#own || this.#open.isTooOld(now() - acceptedAt)) return;
    if (!listeners(peer).includes(device) || this.#open.find(id)) return;
    if (isLocked(ledger, from, now())) return;
    const present = this.#open.with(from);
    if (present) {
      // Both ask at once: the account that comes first stays the one that asks.
      if (present.step === 'requested' && this.#own < from) return;
      const isRepeated = present.step === 'offered' && present.device === device;
      if (present.step !== 'requested' && !isRepeated) {
        this.#refuse(incoming, id, 'busy');
        return;
      }
      this.#end(present, 'cancelled');
    }
    if (!this.#open.isFull) this.#open.changed(this.#begin(own, peer, id, device));
  }

  /** Both users have said that the characters agree: the lists that they stand for must be those that are known here. */
  async #finish(dialogue: Dialogue): Promise<void> {
    const { book, verdicts, ledger, crypto, broken } = this.#options;
    const { peer: address, peerKey, theirs } = dialogue;
    if (dialogue.step !== 'waiting' || !theirs) return;
    try {
      const wrong = await contradiction(book, crypto, address, theirs);
      if (wrong) {
        void this.#endSaying(dialogue, wrong);
        return;
      }
      await ledger.commit((transaction) => {
        if (dialogue.isOver) return;
        verdicts.verified(transaction, address, peerKey);
        forgetAttempts(transaction, address);
      });
      if (dialogue.isOver) return;
      dialogue.succeed();
      this.#open.changed(dialogue);
    } catch (error) {
      const reason = reasonOf(error);
      if (isStorageBroken(reason)) broken(reason);
      else void this.#endSaying(dialogue, reason.code === 'manifest-rollback' ? 'hidden-list' : 'unreachable');
    }
  }

  /** With a key of ours: that is an attempt, which is durable before it leaves. */
  #sayKey(dialogue: Dialogue, message: VerificationMessage | undefined): void {
    const { ledger, now, broken } = this.#options;
    if (!message) return;
    const spent = ledger.commit((transaction) => spendAttempt(transaction, dialogue.peer, now()));
    const said = spent
      .then(() => {
        if (!dialogue.isOver) this.#speaker.say(dialogue, [dialogue.device!], message);
      })
      .catch((error: unknown) => {
        const reason = reasonOf(error);
        if (isStorageBroken(reason)) broken(reason);
        else void this.#endSaying(dialogue, 'cancelled');
      });
    this.#keySaid.set(dialogue, said);
  }

  /** No strangers: they would find out by it when this device is online. */
  #refuse({ from, device }: IncomingMessage, id: Uint8Array, reason: 'busy' | 'elsewhere' | 'cancelled'): void {
    if (mayBeTold(this.#options.ledger, this.#own, from))
      void this.#speaker.once(from, [device], { kind: 'cancel', id: id.slice(), reason });
  }

  #begin(own: PeerRecord, peer: PeerRecord, id: Uint8Array, device?: DeviceId): Dialogue {
    const { crypto, me } = this.#options;
    const known = ({ address, accountKey }: PeerRecord) => ({ address, accountKey });
    const dialogue = new Dialogue({ crypto, me, own: known(own), peer: known(peer), id, ...(device && { device }) });
    this.#open.add(dialogue);
    return dialogue;
  }

  async #endSaying(dialogue: Dialogue, reason: VerificationEnd): Promise<void> {
    if (dialogue.isOver) return;
    const peer = this.#options.book.find(dialogue.peer);
    const devices = dialogue.device ? [dialogue.device] : peer ? listeners(peer) : [];
    const told = reason === 'late' || reason === 'forged' || reason === 'different' ? reason : 'cancelled';
    const saying = this.#speaker.once(dialogue.peer, devices, { kind: 'cancel', id: dialogue.id, reason: told });
    this.#end(dialogue, reason);
    await saying;
  }

  #end(dialogue: Dialogue, reason: VerificationEnd): void {
    if (dialogue.isOver) return;
    dialogue.end(reason);
    this.#open.changed(dialogue);
    this.#clear(dialogue);
  }

  #clear(dialogue: Dialogue): void {
    this.#speaker.silence(dialogue);
    this.#open.remove(dialogue);
  }

  async #ownRecord(): Promise<PeerRecord> {
    const { book } = this.#options;
    return book.find(this.#own) ?? (await book.refresh(this.#own));
  }
}

function read({ body }: IncomingMessage): VerificationMessage | undefined {
  try {
    return decodeVerification(body);
  } catch {
    // Of a newer version, or made up: nothing is said to that.
    return undefined;
  }
}
