/** What a server that keeps its promises never gives cause for. */

export const OFFENCES = {
  lost: 'accepted, and never at a device that it was for; after a restore: and that device was not told that something may be missing',
  doubled: 'twice to an application, or twice in one mailbox',
  reordered:
    'behind a later one of the same writer in the same conversation, or numbers of a mailbox backwards on one link',
  foreign: 'to a device that it was not for, another one than was written, or two messages under one number',
  'not-accepted': 'written, and at the end neither accepted nor on its way any more',
  'key-twice': 'a one-time key was handed out a second time',
  'key-stale': 'a one-time key of before a restore was handed out after it',
  'manifest-gone': 'a list of devices that was accepted or shown is missing, other, or an older one was shown after it',
  told: 'a client told its application of damage: a gap, a hole, a message that cannot be read, a device without keys',
  'not-recovered': 'after a fault the service did not come back in its time',
  unfinished: 'the history has no end, or no message: what is missing cannot be told from what was on its way',
} as const;

export type OffenceKind = keyof typeof OFFENCES;

export interface Offence {
  readonly kind: OffenceKind;
  /** When what it is about began: ms since 1970. */
  readonly at: number;
  readonly text: string;
}

/** How the parts of the checker tell what they found. */
export type Offend = (kind: OffenceKind, at: number, text: string) => void;
