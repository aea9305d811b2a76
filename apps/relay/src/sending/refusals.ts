/** What a sender is told of a message that was not taken, or not by all. */
import { ERRORS, type ErrorCode } from '@sealwire/wire/errors';
import { encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Rejected } from '@sealwire/wire/frames';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import type { Session } from '../sockets/session.ts';

type Refusal = Partial<Pick<Rejected, 'retryAfterMs' | 'missing' | 'extra' | 'full'>>;

/** Tells the sender that a message was not taken, and why. */
export function reject(session: Session, id: MessageId, code: ErrorCode, more: Refusal = {}): void {
  const { title: text, retryable } = ERRORS[code];
  session.writer.frame(
    encodeServerFrame({
      kind: 'rejected',
      id,
      code,
      text,
      retryable,
      retryAfterMs: 0,
      missing: [],
      extra: [],
      full: [],
      ...more,
    }),
  );
}

/** Before the sender hears that its message was accepted: by whom it was not. */
export function tellLeftOut(session: Session, id: MessageId, devices: readonly DeviceId[], code: ErrorCode): void {
  if (devices.length > 0) session.writer.frame(encodeServerFrame({ kind: 'left-out', id, code, devices }));
}
