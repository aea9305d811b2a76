/** Accounts, their devices and contacts: rows of `LIMITS`. */
import { DAY, KiB, type Limit, SECOND } from './limit.ts';

export const ACCOUNTS = {
  unfinishedAccountMs: {
    value: DAY,
    unit: 'ms',
    why: 'an account whose registration nobody finished keeps its name from others; longer than an outage in the middle of it',
  },
  activationMs: { value: DAY, unit: 'ms', why: 'a code that was mailed waits for who reads mail once a day' },
  linkMs: {
    value: 90 * SECOND,
    unit: 'ms',
    why: 'that a device which wants to join an account waits for the next word of one that belongs to it',
  },
  linkMessageBytes: {
    value: 20 * KiB,
    unit: 'bytes',
    why: 'one such word: a welcome with 16 KiB of what is handed over',
  },
  linksOpen: {
    value: 1_000,
    unit: 'entries',
    why: 'devices that a server lets wait at once: 100 MB if they were all malicious',
  },
  devicesPerAccount: { value: 10, unit: 'devices', why: 'fan-out of a one-to-one message stays small' },
  appPasswordsPerAccount: {
    value: 20,
    unit: 'entries',
    why: 'a program each, with room; each is compared in turn when one is shown',
  },
  contactsPerAccount: {
    value: 1_000,
    unit: 'entries',
    why: 'of one contact list, those who were only written to and those who were removed too',
  },
  verdictsPerAccount: {
    value: 100,
    unit: 'entries',
    why: 'of one contact list: whom the user has verified, and whom not any more',
  },
  timersPerAccount: {
    value: 100,
    unit: 'entries',
    why: 'of one contact list: conversations whose messages have an end, and some that had one',
  },
  contactListBytes: {
    value: 44 * KiB,
    unit: 'bytes',
    why: 'the list as its devices encrypted it: a body of the API holds it as base64url',
  },
  blocksPerAccount: { value: 500, unit: 'entries', why: 'accounts that one account does not want to hear of' },
  contactRequestBytes: {
    value: 16 * KiB,
    unit: 'bytes',
    why: 'shared body and one device’s part of what a stranger may send: a first message of the largest suite and some lines of text',
  },
  contactRequestMs: {
    value: DAY,
    unit: 'ms',
    why: 'in which a stranger sends one contact request to an account',
  },
  contactRequestsPerRecipient: {
    value: 50,
    unit: 'messages',
    why: 'contact requests that an account gets in that time from all strangers together',
  },
} as const satisfies Record<string, Limit>;
