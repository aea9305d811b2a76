/** How much of something in a time, and how long a word counts: rows of `LIMITS`. */
import { type Limit, MINUTE, MiB, SECOND } from './limit.ts';

export const RATES = {
  messagesPerPairBurst: {
    value: 60,
    unit: 'messages',
    why: 'from one account to another; then one a second; the operator may change it',
  },
  messagesPerRecipientBurst: {
    value: 1_000,
    unit: 'messages',
    why: 'to one account from all others; then ten a second, and of each account always a few: nobody fills a mailbox in seconds',
  },
  bytesPerSenderBurst: {
    value: 64 * MiB,
    unit: 'bytes',
    why: 'that one account writes into mailboxes, then 512 KiB a second; a message counts 1 KiB more in each',
  },
  presencePeers: {
    value: 1_000,
    unit: 'entries',
    why: 'accounts to which one device shows itself: as many as a frame has recipients',
  },
  noticeBytes: { value: 4_096, unit: 'bytes', why: 'a word of the operator to all: a thousand letters' },
  challengeLifeMs: { value: 60 * SECOND, unit: 'ms', why: 'a login challenge is answered at once' },
  loginOrigins: {
    value: 8,
    unit: 'entries',
    why: 'origins that a server goes by; a login costs a verification for each',
  },
  accessTokenMs: { value: 15 * MINUTE, unit: 'ms', why: 'how long a stolen token works' },
  clockSkewMs: { value: 60 * SECOND, unit: 'ms', why: 'between two honest machines' },
} as const satisfies Record<string, Limit>;
