/**
 * A member without cryptography: frames of the size and shape of LIME's, acknowledgements as the SDK sends them
 * (docs/spec/relay-protocol.md section 4).
 */
import type { LightIdentity } from '@sealwire/light/account';
import { LightDevice } from '@sealwire/light/device';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { Deliver, ServerFrame, Welcome } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { Mailbox } from '../oracle/oracle.ts';
import type { Scene } from './activity.ts';
import { limitAdvice } from './limit-advice.ts';
import type { Member, MemberEvents } from './member.ts';
import { HEADER_BYTES, ORIGIN_BYTES } from './payload.ts';

const ACK_AFTER_MS = 100;
const ACK_AFTER_MESSAGES = 32;
const ID_BYTES = 16;

export interface LightMemberTerms {
  readonly identity: LightIdentity;
  readonly others: readonly DeviceId[];
  /** Behind the header; shared by all. */
  readonly filling: Uint8Array;
  /** Of each device, beside the body; shared by all. */
  readonly part: Uint8Array;
}

export class LightMember implements Member {
  readonly device: DeviceId;
  readonly link: LightDevice;
  readonly #terms: LightMemberTerms;
  readonly #events: MemberEvents;
  readonly #mailbox: Mailbox;
  /** Begins the ids of its messages: no two senders choose the same, as no two clients do. */
  readonly #idPrefix: Uint8Array;
  /** Frames that nobody has accepted yet, by number: sent again on the next link. */
  readonly #unaccepted = new Map<number, Uint8Array>();
  #newestSeq = 0;
  #acknowledged = 0;
  #unacknowledged = 0;
  #acknowledging: NodeJS.Timeout | undefined;

  constructor(terms: LightMemberTerms, scene: Scene, events: MemberEvents) {
    this.device = terms.identity.id;
    this.#terms = terms;
    this.#idPrefix = scene.runtime.random(ORIGIN_BYTES);
    this.#events = events;
    this.#mailbox = new Mailbox(this.device, scene.offences);
    this.link = new LightDevice(
      terms.identity,
      { ...scene, client: 'sealwire-load', waits: (why) => scene.warn(limitAdvice(why)) },
      {
        welcomed: () => this.#welcomed(),
        received: (frame) => this.#received(frame),
        closed: () => scene.tally.count('linksLost'),
      },
    );
  }

  get isOnline(): boolean {
    return this.link.online;
  }

  /** By `connectAll`, with many others. */
  async open(): Promise<void> {}

  send(number: number, header: Uint8Array): void {
    const { others, filling, part } = this.#terms;
    const body = new Uint8Array(HEADER_BYTES + filling.length);
    body.set(header);
    body.set(filling, HEADER_BYTES);
    const id = new Uint8Array(ID_BYTES);
    id.set(this.#idPrefix);
    new DataView(id.buffer).setUint32(ORIGIN_BYTES, number);
    const parts = others.map((device) => ({ device, content: part }));
    const addressed = { parts, allDevices: true, ownElsewhere: false };
    const frame = encodeClientFrame({ kind: 'send', id: id as MessageId, body, ...addressed });
    this.#unaccepted.set(number, frame);
    this.link.send(frame);
  }

  async close(): Promise<void> {
    this.#acknowledge();
    this.link.end();
  }

  #welcomed(): void {
    this.#mailbox.linked();
    for (const frame of this.#unaccepted.values()) this.link.send(frame);
  }

  #received(frame: Exclude<ServerFrame, Welcome>): void {
    switch (frame.kind) {
      case 'deliver':
        this.#delivered(frame);
        break;
      case 'accepted':
        for (const id of frame.ids) this.#answered(id, (number) => this.#events.accepted(number));
        break;
      case 'rejected':
        this.#answered(frame.id, (number) => this.#events.refused(number, frame.code));
        break;
      case 'left-out': {
        const number = this.#numberIn(frame.id);
        if (number !== undefined) this.#events.leftOut(number, frame.devices);
      }
    }
  }

  #delivered({ seq, sender, id, body }: Deliver): void {
    this.#newestSeq = Math.max(seq, this.#newestSeq);
    if (++this.#unacknowledged >= ACK_AFTER_MESSAGES) this.#acknowledge();
    else this.#acknowledging ??= setTimeout(() => this.#acknowledge(), ACK_AFTER_MS);
    if (this.#mailbox.delivered(seq, `${sender} ${Buffer.from(id).toString('hex')}`))
      this.#events.received(sender, body);
  }

  #acknowledge(): void {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    this.#unacknowledged = 0;
    if (this.#newestSeq === this.#acknowledged) return;
    this.#acknowledged = this.#newestSeq;
    this.link.send(encodeClientFrame({ kind: 'ack', upTo: this.#newestSeq }));
  }

  #answered(id: Uint8Array, tell: (number: number) => void): void {
    const number = this.#numberIn(id);
    if (number !== undefined && this.#unaccepted.delete(number)) tell(number);
  }

  #numberIn(id: Uint8Array): number | undefined {
    if (!this.#idPrefix.every((byte, at) => id[at] === byte)) return undefined;
    return new DataView(id.buffer, id.byteOffset).getUint32(ORIGIN_BYTES);
  }
}
