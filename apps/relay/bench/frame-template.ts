/** What a pair writes: a message of 1 KiB, its frame made once and patched, and the acknowledgement. */
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { maskedFrame, patchUint32 } from './frames-by-hand.ts';

const PAYLOAD_BYTES = 1_024;

export class FrameTemplate {
  private readonly frame: Buffer;
  private readonly payloadAt: number;
  private readonly idAt: number;

  /** `recipient`: a device of our relay; undefined: what a bare server forwards is the body alone. */
  constructor(recipient: string | undefined, seed: number) {
    const body = new Uint8Array(PAYLOAD_BYTES).map((_, i) => (i * 31 + seed) & 0xff);
    const id = new Uint8Array(16).fill(0xee) as MessageId;
    new DataView(id.buffer).setUint32(4, seed);
    const payload = recipient
      ? encodeClientFrame({
          kind: 'send',
          id,
          body,
          parts: [{ device: recipient as DeviceId, content: new Uint8Array(0) }],
          allDevices: true,
          ownElsewhere: false,
        })
      : body;
    ({ frame: this.frame, payloadAt: this.payloadAt } = maskedFrame(payload));
    this.idAt = recipient ? Buffer.from(payload).indexOf(Buffer.from(id)) : 0;
  }

  /** Message `number` of this pair. */
  make(number: number): Buffer {
    patchUint32(this.frame, this.payloadAt, this.idAt, number);
    return Buffer.from(this.frame);
  }
}

export function ackFrame(upTo: number): Buffer {
  return maskedFrame(encodeClientFrame({ kind: 'ack', upTo })).frame;
}
