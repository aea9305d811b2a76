/** What a socket holds at most for a relay that does not read: then it is dropped. */
import { LIMITS } from '@sealwire/wire/limits';

/**
 * More than all conversations together have under way: a frame each, of eight (messages/sender.ts).
 */
export const UNSENT_BYTES = 2 * LIMITS.socketQueueBytes.value;
