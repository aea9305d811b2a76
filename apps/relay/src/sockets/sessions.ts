/**
 * Who is here: at most one receiving and one sending session a device (delivery, "one session a device"). A newer session ends the older
 * ones whose role it takes: a socket of lane `both` has both roles, so that the two lanes may also come on two sockets.
 */
import { type CloseCode, closeCodeOf } from '@sealwire/wire/errors';
import type { Lane } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { numberAfter, type Session } from './session.ts';

const REPLACED = closeCodeOf('replaced');

export function receives(lane: Lane): boolean {
  return lane !== 'contact';
}

export function sends(lane: Lane): boolean {
  return lane !== 'replica';
}

export class Sessions {
  private readonly receiving = new Map<DeviceId, Session>();
  private readonly sending = new Map<DeviceId, Session>();
  private lastNumber = 0;
  /** How often devices were closed: a login that was under way meanwhile asks again, since its session was not here to be closed. */
  closings = 0;

  /** The session that gets this device's mail here. */
  receiver(device: DeviceId): Session | undefined {
    return this.receiving.get(device);
  }

  /**
   * A number for a new session: `fresh`, or more when this node has given that out already, so that a
   * later one is always larger. `random`: two bytes.
   */
  nextNumber(fresh: number, random: Uint8Array): number {
    this.lastNumber = fresh > this.lastNumber ? fresh : numberAfter(this.lastNumber, random);
    return this.lastNumber;
  }

  /** Takes the session in, and ends those that it replaces. */
  open(session: Session): void {
    if (receives(session.lane)) take(this.receiving, session);
    if (sends(session.lane)) take(this.sending, session);
  }

  remove(session: Session): void {
    if (this.receiving.get(session.device) === session) this.receiving.delete(session.device);
    if (this.sending.get(session.device) === session) this.sending.delete(session.device);
  }

  /** A receiving session of this number was opened elsewhere: ours, if older, ends. */
  openedElsewhere(device: DeviceId, number: number): void {
    const session = this.receiving.get(device);
    if (session && session.number < number) session.close(REPLACED);
  }

  /** Ends every socket of a device. */
  closeDevice(device: DeviceId, code: CloseCode): void {
    this.closings++;
    this.receiving.get(device)?.close(code);
    this.sending.get(device)?.close(code);
  }

  /** Ends every socket of every device of an account. */
  closeAccount(account: AccountAddress, code: CloseCode): void {
    this.closings++;
    for (const role of [this.receiving, this.sending])
      for (const session of [...role.values()]) if (accountOf(session.device) === account) session.close(code);
  }

  receivers(): Iterable<Session> {
    return this.receiving.values();
  }

  /** Those that only send too. */
  *all(): Iterable<Session> {
    yield* this.receiving.values();
    for (const session of this.sending.values()) if (!receives(session.lane)) yield session;
  }
}

function take(role: Map<DeviceId, Session>, session: Session): void {
  const older = role.get(session.device);
  role.set(session.device, session);
  older?.close(REPLACED);
}
