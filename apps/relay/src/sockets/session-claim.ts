/** Which of a device's sessions is the newest: the store decides, whatever the clocks of nodes say. */
import type { RandomBytes } from '@sealwire/crypto/port';
import type { Mailboxes } from '@sealwire/store/port';
import { closeCodeOf } from '@sealwire/wire/errors';
import type { Announcements } from '../nodes/announcements.ts';
import { numberAfter, type Session } from './session.ts';
import type { Sessions } from './sessions.ts';

export interface Claimant extends Session {
  number: number;
  /** Whether the store has answered. */
  claimed: boolean;
}

export interface ClaimParts {
  readonly mailboxes: Pick<Mailboxes, 'claimSession'>;
  readonly sessions: Pick<Sessions, 'nextNumber'>;
  readonly announcements: Pick<Announcements, 'opened'>;
  readonly random: RandomBytes;
}

/**
 * In the background: the first frame does not wait for a write. Until it is done, an older session could still acknowledge.
 * `justConnected`: then this is the newest session, whatever the clocks of nodes say that made the numbers, or said before they were
 * set right. One that claims later may have been replaced meanwhile.
 */
export function claim(session: Claimant, parts: ClaimParts, justConnected: boolean): void {
  const { mailboxes, sessions, announcements, random } = parts;
  mailboxes.claimSession(session.device, session.number).then(
    (newest) => {
      session.claimed = true;
      if (newest === session.number || session.closed) return;
      if (justConnected && newest !== undefined) {
        session.number = sessions.nextNumber(numberAfter(newest, random(2)), random(2));
        announcements.opened(session);
        claim(session, parts, false);
      } else {
        session.close(closeCodeOf(newest === undefined ? 'device-removed' : 'replaced'));
      }
    },
    () => session.pollSoon(),
  );
}
