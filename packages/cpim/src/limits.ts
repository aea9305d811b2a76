/** What one input may make a reader hold, in bytes unless it says otherwise. Each is far above what Linphone writes. */

/** A message. The relay takes less (`payloadBytes`, docs/spec/relay-protocol.md). */
export const MESSAGE_BYTES = 128 * 1024;
/** A block of header lines. */
export const HEAD_BYTES = 16 * 1024;
/** Header lines in a block; a folded one is as many as it has line ends. */
export const HEAD_LINES = 64;
/** Parts of a multipart body: a body for a thousand devices, as many as a frame of the relay has, and what goes with them. */
export const PARTS = 1_008;
/** A multipart body: that of a thousand devices that have no session yet, on the largest suite. */
export const MULTIPART_BYTES = 8 * 1024 * 1024;
/** A disposition notification. */
export const IMDN_BYTES = 16 * 1024;
/** A word on typing. */
export const COMPOSING_BYTES = 4 * 1024;
