/** A session: a ratchet between a local and a peer device, and what tells it from the others (lime-protocol section 9). */
import type { RatchetState } from '../ratchet/ratchet.ts';

export interface Session {
  /** Who sent the X3DH init. Both, in a session with oneself, live side by side. */
  readonly role: 'initiator' | 'responder';
  /** Ek of the initiator: unique per session, and repeated in every message until the first answer. */
  readonly ephemeralKey: Uint8Array;
  /** When another session took over, in ms; undefined while active. */
  readonly staleSince: number | undefined;
  readonly ratchet: RatchetState;
}
