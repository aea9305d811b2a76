/** The configuration of a relay that runs as a process of its own, and what of it the relay is told. */
import { setting } from '@sealwire/service/config';
import { originOf } from '@sealwire/service/public-origin';
import { BUS_PEERS, listenAddress, SERVER_SETTINGS, wholeNumber } from '@sealwire/service/settings';
import { LIMITS } from '@sealwire/wire/limits';
import { parseNodeId } from '@sealwire/wire/node-messages';
import { z } from 'zod';
import { DEFAULT_SETTINGS, type Rate, type RelaySettings } from './settings.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** What the relay itself is told, wherever it runs. */
export const RELAY_CONFIG = {
  MESSAGES_PER_PAIR: setting(wholeNumber(0), {
    about: 'Messages from one account to another at once, whichever devices send; then one a second; 0: no limit.',
    default: String(LIMITS.messagesPerPairBurst.value),
  }),
  MESSAGES_PER_RECIPIENT: setting(wholeNumber(0), {
    about:
      'Messages to one account from all others together at once; then ten a second. Of each account five always pass, then one in thirty seconds; 0: no limit.',
    default: String(LIMITS.messagesPerRecipientBurst.value),
  }),
  BYTES_PER_SENDER: setting(wholeNumber(0), {
    about:
      'Bytes that one account writes into mailboxes at once, its own devices’ too, with 1 KiB more for each message in each mailbox; then 512 KiB a second; 0: no limit.',
    default: String(LIMITS.bytesPerSenderBurst.value),
  }),
  WHEN_MAILBOX_FULL: setting(z.enum(['refuse', 'trim']), {
    about:
      'A message for a full mailbox: `trim` the oldest ones of the account that fills most of it, and tell the recipient of the gap; or `refuse` it, and tell the sender.',
    default: 'trim',
  }),
  MAILBOX_MESSAGES: setting(wholeNumber(1), {
    about: 'Messages that the mailbox of a device holds.',
    default: String(LIMITS.mailboxMessages.value),
  }),
  MAILBOX_BYTES: setting(wholeNumber(LIMITS.frameBytes.value), {
    about: 'Bytes that the mailbox of a device holds.',
    default: String(LIMITS.mailboxBytes.value),
  }),
  ACCOUNT_MESSAGES: setting(wholeNumber(100), {
    about:
      'Messages that wait for all devices of an account together: each mailbox holds its equal share of them, and no more than MAILBOX_MESSAGES.',
    default: String(LIMITS.accountMessages.value),
  }),
  ACCOUNT_BYTES: setting(wholeNumber(100 * LIMITS.frameBytes.value), {
    about: 'The same in bytes, and no more than MAILBOX_BYTES in each.',
    default: String(LIMITS.accountBytes.value),
  }),
  MESSAGES_STOP_BELOW_BYTES: setting(wholeNumber(0), {
    about:
      'With less free than this on the disk of an embedded store new messages are refused, and wait at their senders; of a small disk a fiftieth counts at most. 0: never.',
    default: '134217728',
  }),
  MESSAGE_LIFE_DAYS: setting(wholeNumber(1, 3_650), {
    about: 'Days that a message waits for its device.',
    default: String(LIMITS.messageLifeMs.value / DAY_MS),
  }),
  REPEAT_MEMORY_MINUTES: setting(wholeNumber(1, 10_080), {
    about: 'Minutes that the id of a message is remembered, by which a repeat is known.',
    default: String(LIMITS.repeatMemoryMs.value / MINUTE_MS),
  }),
  REPEAT_MEMORY_MESSAGES: setting(wholeNumber(1_000), {
    about: 'Ids of messages that are remembered at most, the newest ones.',
    default: String(LIMITS.repeatMemoryMessages.value),
  }),
} as const;

export const relayConfig = z.object({
  LISTEN: setting(listenAddress(), { about: 'Where this server listens, `HOST:PORT`.', default: '127.0.0.1:8083' }),
  ...SERVER_SETTINGS,
  BUS_PEERS,
  TOKEN_JWKS_URL: setting(z.url({ protocol: /^https?$/, error: 'not an http(s) URL' }), {
    about: 'Where the API publishes the keys that verify access tokens.',
    example: 'http://127.0.0.1:8081/v1/.well-known/jwks.json',
  }),
  NODE_ID: setting(nodeId().optional(), {
    about: 'The name of this node among those that share the bus. Not set: a random one.',
    example: 'relay-1',
  }),
  ...RELAY_CONFIG,
});

/** From the configuration to the settings of `startRelay`; what is not configurable has its default. */
export function relaySettings(
  config: { [Key in keyof typeof RELAY_CONFIG]: z.output<(typeof RELAY_CONFIG)[Key]> } & {
    readonly PUBLIC_ORIGIN: string;
    readonly ALLOWED_ORIGINS: readonly string[];
  },
): RelaySettings {
  return {
    ...DEFAULT_SETTINGS,
    // A page of our own origin names it here too: a socket has no same-origin policy.
    allowedOrigins: [originOf(config.PUBLIC_ORIGIN), ...config.ALLOWED_ORIGINS],
    messagesPerPair: rateOf(config.MESSAGES_PER_PAIR, DEFAULT_SETTINGS.messagesPerPair),
    messagesPerRecipient: rateOf(config.MESSAGES_PER_RECIPIENT, DEFAULT_SETTINGS.messagesPerRecipient),
    bytesPerSender: rateOf(config.BYTES_PER_SENDER, DEFAULT_SETTINGS.bytesPerSender),
    account: { messages: config.ACCOUNT_MESSAGES, bytes: config.ACCOUNT_BYTES },
    mailbox: {
      messages: config.MAILBOX_MESSAGES,
      bytes: config.MAILBOX_BYTES,
      lifeMs: config.MESSAGE_LIFE_DAYS * DAY_MS,
      whenFull: config.WHEN_MAILBOX_FULL,
      memory: { ms: config.REPEAT_MEMORY_MINUTES * MINUTE_MS, messages: config.REPEAT_MEMORY_MESSAGES },
    },
  };
}

/** 0: no limit. */
function rateOf(burst: number, rate: Rate | undefined): Rate | undefined {
  return burst === 0 || !rate ? undefined : { ...rate, burst };
}

function nodeId() {
  return z.string().transform((text, context): string => {
    try {
      return parseNodeId(text);
    } catch (error) {
      context.issues.push({ code: 'custom', message: (error as Error).message, input: text });
      return z.NEVER;
    }
  });
}
