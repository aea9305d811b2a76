/** One socket that shows its device, and what it was told of others. */
import type { PresenceState } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf } from '@sealwire/wire/ids';
import type { Session } from '../sockets/session.ts';

/** Of a session, all that presence needs. */
export type Shower = Pick<Session, 'device' | 'lane' | 'writer' | 'closed'>;

export class Showing {
  readonly account: AccountAddress;
  /** To whom. */
  peers: ReadonlySet<AccountAddress> = new Set();
  away = false;
  /** Whether a socket of the device receives its mail. */
  isOnline = false;
  /** What the socket was told of last; nothing: offline. */
  readonly told = new Map<AccountAddress, PresenceState>();
  /** Of whom there may be something to tell. */
  readonly untold = new Set<AccountAddress>();
  /** Tick before which it is told nothing more. */
  quietUntil = 0;

  constructor(readonly session: Shower) {
    this.account = accountOf(session.device);
  }
}
