/**
 * Sends the frames of an attempt, one after another, and remembers what the server has taken of it: a link that is lost, or a refusal that
 * passes, costs none of them twice (docs/spec/client.md section 5, step 4).
 */

import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { decodeClientFrame } from '@sealwire/wire/frame-codec';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import type { InFlight, Outcome } from './in-flight.ts';
import type { OutboxEntry, TakenFrames } from './outbox.ts';
import { frameId } from './send-frames.ts';

export class FrameSender {
  readonly #inFlight: InFlight;
  /** By the relay id of the attempt; of whom the server left each frame out. */
  readonly #taken = new Map<string, (readonly DeviceId[])[]>();

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight;
  }

  /** Answers `accepted` when the server has all of them, else what became of the first that it has not. */
  async send(relayId: string, frames: readonly Uint8Array[], period: AbortSignal): Promise<Outcome> {
    const taken = this.#taken.get(relayId) ?? [];
    this.#taken.set(relayId, taken);
    for (let index = taken.length; index < frames.length; index++) {
      if (period.aborted) return { kind: 'offline' };
      const id = frameId(decodeBase64url(relayId) as MessageId, index);
      const outcome = await this.#inFlight.send(encodeBase64url(id), frames[index]!);
      if (outcome.kind !== 'accepted') return outcome;
      taken.push(outcome.leftOut);
    }
    return { kind: 'accepted', leftOut: taken.flat() };
  }

  /** What the server has taken of an attempt that is given up; undefined: nothing. */
  taken(relayId: string, frames: readonly Uint8Array[]): TakenFrames | undefined {
    const leftOut = this.#taken.get(relayId) ?? [];
    if (leftOut.length === 0) return undefined;
    const devices = frames.slice(0, leftOut.length).flatMap(devicesOf);
    return { relayId, devices, leftOut: leftOut.flat() };
  }

  settled({ relayId }: OutboxEntry): void {
    if (relayId) this.#taken.delete(relayId);
  }
}

function devicesOf(bytes: Uint8Array): DeviceId[] {
  const frame = decodeClientFrame(bytes);
  return frame?.kind === 'send' ? frame.parts.map(({ device }) => device) : [];
}
