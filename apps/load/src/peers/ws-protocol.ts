/**
 * What the bare peers on `ws` speak. A client's first message is one byte, WRITER or READER, and its topic; the answer is one byte. A
 * writer's messages are a number (u32) and a content, and come to every reader of the topic as they are; the number comes back when the
 * message is accepted. A reader sends the newest number that it has, for a server that keeps.
 */
export const WRITER = 1;
export const READER = 2;
export const NUMBER_BYTES = 4;
