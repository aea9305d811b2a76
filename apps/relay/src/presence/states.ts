/** How several words on one account become one: online anywhere is online (docs/spec/presence.md section 3). */
import type { PresenceState } from '@sealwire/wire/frames';

export type ShownState = Exclude<PresenceState, 'offline'>;

/** `a` and `b`: what two places say. */
export function better(a: PresenceState, b: PresenceState): PresenceState {
  if (a === 'online' || b === 'online') return 'online';
  return a === 'away' ? a : b;
}
