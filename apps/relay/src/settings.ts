/** What an operator may turn on the relay; the starting values are `wire/limits.ts` (delivery, "starting limits"). */
import type { MailboxLimits, Room } from '@sealwire/store/port';
import { LIMITS } from '@sealwire/wire/limits';

/** A bucket that holds `burst` and is refilled with `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface RelaySettings {
  /** The one path of this door. */
  readonly path: string;
  /** Browser origins that may open a socket, as the `Origin` header writes them; programs send none and need none (case H01). */
  readonly allowedOrigins: readonly string[];
  readonly helloMs: number;
  readonly pingEveryMs: number;
  readonly pongWithinMs: number;
  readonly frameBytes: number;
  /** WebSocket fragments of one frame: an honest client sends one (case H06). */
  readonly fragmentsPerFrame: number;
  /** Shared body and one part together. */
  readonly payloadBytes: number;
  readonly windowMessages: number;
  readonly windowBytes: number;
  /** Bytes a socket may leave untaken before its client counts as slow: a full window and as much again for answers and ephemera. */
  readonly socketQueueBytes: number;
  readonly mailbox: MailboxLimits;
  /** What may wait for all devices of an account together. */
  readonly account: Room;
  /** Each session looks into its mailbox this often, at random within the bounds: the bus may lose everything. */
  readonly pollFromMs: number;
  readonly pollToMs: number;
  /** Acknowledgements wait for company at most this long: what a node forgets when it dies is delivered again, and known by its id. */
  readonly ackEveryMs: number;
  /** Bounds of one durable write. */
  readonly batchMessages: number;
  readonly batchBytes: number;
  /** Messages waiting for their write beyond these bounds are refused with `unavailable`: no pile-up behind a slow store (case B08). */
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  /** Messages from one account to another; undefined: no limit (load tests). */
  readonly messagesPerPair: Rate | undefined;
  /** Messages to one account from all others together; undefined: no limit. */
  readonly messagesPerRecipient: Rate | undefined;
  /** Bytes into the mailboxes of one account from all others together, each mailbox with the most of them; undefined: no limit. */
  readonly bytesPerRecipient: Rate | undefined;
  /** From one account to another, when what the recipient may get from all is used up. */
  readonly alwaysPerPair: { readonly messages: Rate; readonly bytes: Rate };
  /** Bytes that one account writes into mailboxes, its own devices' too; undefined: no limit. */
  readonly bytesPerSender: Rate | undefined;
  /** Devices that the ephemeral messages of one account reach. */
  readonly ephemeraPerSender: Rate;
  /** Accounts that one account's devices show themselves to, each time that they say so: the burst is ten devices with full lists. */
  readonly presencePerAccount: Rate;
  /** Refusals of one account's messages that name devices: beyond it they name none, or everybody's devices could be had by asking. */
  readonly mismatchesPerSender: Rate;
  readonly drainPerSecond: number;
  readonly clockSkewMs: number;
  /** How long the list of an account's devices is believed without asking the store; a bus message ends it at once. */
  readonly accountDevicesMs: number;
  /** A message through the bus to ourselves must be heard within this time, or this node is not ready. */
  readonly probeWithinMs: number;
  readonly probeEveryMs: number;
  /** How often what is older than its life is turned into gap records. */
  readonly expireEveryMs: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const DEFAULT_SETTINGS: RelaySettings = {
  path: '/relay',
  allowedOrigins: [],
  helloMs: LIMITS.helloMs.value,
  pingEveryMs: LIMITS.pingEveryMs.value,
  pongWithinMs: LIMITS.pongWithinMs.value,
  frameBytes: LIMITS.frameBytes.value,
  fragmentsPerFrame: 64,
  payloadBytes: LIMITS.payloadBytes.value,
  windowMessages: LIMITS.windowMessages.value,
  windowBytes: LIMITS.windowBytes.value,
  socketQueueBytes: LIMITS.windowBytes.value + LIMITS.socketQueueBytes.value,
  mailbox: {
    messages: LIMITS.mailboxMessages.value,
    bytes: LIMITS.mailboxBytes.value,
    lifeMs: LIMITS.messageLifeMs.value,
    whenFull: 'trim',
    memory: { ms: LIMITS.repeatMemoryMs.value, messages: LIMITS.repeatMemoryMessages.value },
  },
  account: { messages: LIMITS.accountMessages.value, bytes: LIMITS.accountBytes.value },
  pollFromMs: 15_000,
  pollToMs: 30_000,
  ackEveryMs: 50,
  batchMessages: 500,
  batchBytes: 1 * MiB,
  waitingMessages: 10_000,
  waitingBytes: 32 * MiB,
  messagesPerPair: { burst: LIMITS.messagesPerPairBurst.value, perSecond: 1 },
  messagesPerRecipient: { burst: LIMITS.messagesPerRecipientBurst.value, perSecond: 10 },
  bytesPerRecipient: { burst: 8 * MiB, perSecond: 64 * KiB },
  alwaysPerPair: { messages: { burst: 5, perSecond: 1 / 30 }, bytes: { burst: 64 * KiB, perSecond: 512 } },
  bytesPerSender: { burst: LIMITS.bytesPerSenderBurst.value, perSecond: 512 * KiB },
  ephemeraPerSender: { burst: 2_000, perSecond: 100 },
  presencePerAccount: { burst: LIMITS.devicesPerAccount.value * (LIMITS.presencePeers.value + 10), perSecond: 100 },
  mismatchesPerSender: { burst: 60, perSecond: 1 },
  drainPerSecond: LIMITS.drainSocketsPerSecond.value,
  clockSkewMs: LIMITS.clockSkewMs.value,
  accountDevicesMs: 2_000,
  probeWithinMs: 2_000,
  probeEveryMs: 15_000,
  expireEveryMs: 10 * 60_000,
};
