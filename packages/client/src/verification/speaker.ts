/**
 * What a comparison says to the other device, in order, until the server has it: a link that is lost costs time and no word
 * (docs/spec/verification.md section 4). It is in no outbox: with the process it is gone.
 */
import { encodeContent } from '@sealwire/wire/envelope';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { encodeVerification, VERIFICATION_TYPE, type VerificationMessage } from '@sealwire/wire/verification';
import { type ClientError, isStorageBroken } from '../errors.ts';
import type { DirectMessage, DirectOutcome } from '../messages/direct-sender.ts';
import { isPassing, reasonOf } from '../messages/sending-errors.ts';
import { pause, type Timers } from '../runtime.ts';
import type { Dialogue } from './dialogue.ts';

const RETRY_MS = 5_000;
/** For a last word. */
const PATIENCE_MS = 2_000;

export interface SpeakerOptions {
  readonly send: (message: DirectMessage) => Promise<DirectOutcome>;
  readonly now: () => number;
  readonly timers: Timers;
  /** The other side cannot be told: this is over. */
  readonly unheard: (dialogue: Dialogue) => void;
  readonly broken: (reason: ClientError) => void;
}

interface Queue {
  readonly words: { readonly devices: readonly DeviceId[]; readonly message: VerificationMessage }[];
  isSpeaking: boolean;
  cancelRetry: () => void;
}

export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #queues = new Map<Dialogue, Queue>();

  constructor(options: SpeakerOptions) {
    this.#options = options;
  }

  say(dialogue: Dialogue, devices: readonly DeviceId[], message: VerificationMessage): void {
    const queue = this.#queues.get(dialogue) ?? { words: [], isSpeaking: false, cancelRetry: () => {} };
    this.#queues.set(dialogue, queue);
    queue.words.push({ devices, message });
    void this.#speak(dialogue, queue);
  }

  /** What is lost of it is lost. Resolves when the server has it, at the latest after two seconds. */
  async once(to: AccountAddress, devices: readonly DeviceId[], message: VerificationMessage): Promise<void> {
    const sent = new AbortController();
    await Promise.race([
      this.#send(to, devices, message).finally(() => sent.abort()),
      pause(this.#options.timers, PATIENCE_MS, sent.signal),
    ]);
  }

  /** There is a link again. */
  online(): void {
    for (const [dialogue, queue] of this.#queues) void this.#speak(dialogue, queue);
  }

  /** Nothing more is said. */
  silence(dialogue: Dialogue): void {
    this.#queues.get(dialogue)?.cancelRetry();
    this.#queues.delete(dialogue);
  }

  async #speak(dialogue: Dialogue, queue: Queue): Promise<void> {
    if (queue.isSpeaking) return;
    queue.isSpeaking = true;
    queue.cancelRetry();
    for (let word = queue.words[0]; word && this.#queues.has(dialogue); word = queue.words[0]) {
      const outcome = await this.#send(dialogue.peer, word.devices, word.message);
      if (outcome === 'accepted') {
        queue.words.shift();
        continue;
      }
      if (!this.#queues.has(dialogue)) break;
      if (outcome === 'later')
        queue.cancelRetry = this.#options.timers.after(RETRY_MS, () => void this.#speak(dialogue, queue));
      else this.#options.unheard(dialogue);
      break;
    }
    queue.isSpeaking = false;
  }

  async #send(to: AccountAddress, devices: readonly DeviceId[], message: VerificationMessage): Promise<DirectOutcome> {
    const { send, now, broken } = this.#options;
    const body = encodeVerification(message);
    const content = encodeContent({ type: VERIFICATION_TYPE, body, sentAt: now() });
    try {
      return await send({ to, devices, content, shown: false });
    } catch (error) {
      const reason = reasonOf(error);
      if (isStorageBroken(reason)) broken(reason);
      return isPassing(reason) ? 'later' : 'refused';
    }
  }
}
