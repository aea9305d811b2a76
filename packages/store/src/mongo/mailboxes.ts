/** Mailboxes: a document each, and one for each message under mailbox and number (docs/adr/0034). */
import type { Mailboxes } from '../port.ts';
import type { Ground } from './ground.ts';
import { mongoAcknowledging } from './mailboxes/acknowledging.ts';
import { mongoAppending } from './mailboxes/appending.ts';
import { Heads } from './mailboxes/heads.ts';
import { mongoReading } from './mailboxes/reading.ts';

export function mongoMailboxes(ground: Ground): Mailboxes {
  const heads = new Heads(ground);
  return {
    ...mongoAppending(ground, heads),
    ...mongoReading(ground),
    ...mongoAcknowledging(ground, heads),
  };
}
