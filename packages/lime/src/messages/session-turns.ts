/** Which session of a pair is the active one: at most one, the last that decrypted or was begun (lime-protocol section 9). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import type { LimeContext } from '../context.ts';
import type { Session } from '../records/session-record.ts';
import type { LimeChange } from '../records/store.ts';

type Turns = Omit<LimeContext, 'random'>;

/** `session`, new or just used, becomes the active one; `active`, if that was another, becomes stale. */
export function activated(
  context: Turns,
  me: DeviceId,
  peer: DeviceId,
  session: Session,
  active: Session | undefined,
): LimeChange[] {
  const { records } = context;
  const change = records.activeSessionChange(me, peer, { ...session, staleSince: undefined });
  if (active && isSameSession(context.crypto, active, session)) return [change];
  const fromStale = session.staleSince === undefined ? [] : [records.staleSessionRemoval(me, peer, session)];
  return [change, ...fromStale, ...(active ? madeStale(context, me, peer, active, session) : [])];
}

/** `session` goes to the stale ones, from which `leaving` goes away; the longest stale are given up where a peer has too many. */
function madeStale(
  context: Turns,
  me: DeviceId,
  peer: DeviceId,
  session: Session,
  leaving: Session | undefined,
): LimeChange[] {
  const { crypto, records, settings } = context;
  const others = records.staleSessions(me, peer).filter((other) => !leaving || !isSameSession(crypto, other, leaving));
  const surplus = others.slice(0, Math.max(0, others.length + 1 - settings.staleSessionsPerPeer));
  return [
    records.staleSessionChange(me, peer, { ...session, staleSince: context.now() }),
    ...surplus.map((old) => records.staleSessionRemoval(me, peer, old)),
  ];
}

/** No active session any more: the next encryption begins a new one. */
export function retired(context: Turns, me: DeviceId, peer: DeviceId, session: Session): LimeChange[] {
  return [context.records.activeSessionRemoval(me, peer), ...madeStale(context, me, peer, session, undefined)];
}

function isSameSession(crypto: CryptoProvider, a: Session, b: Session): boolean {
  return a.role === b.role && crypto.equal(a.ephemeralKey, b.ephemeralKey);
}
