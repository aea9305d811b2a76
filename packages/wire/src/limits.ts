/**
 * Limits are API: each has a value, a unit and a reason, and a test on both sides of it.
 * What an operator may change is read from the configuration; these are the values it starts from.
 */
export interface Limit {
  readonly value: number;
  readonly unit:
    | 'bytes'
    | 'ms'
    | 'messages'
    | 'keys'
    | 'devices'
    | 'requests'
    | 'frames'
    | 'frames/s'
    | 'logins'
    | 'sockets/s'
    | 'entries';
  readonly why: string;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

export const LIMITS = {
  payloadBytes: {
    value: 96 * KiB,
    unit: 'bytes',
    why: 'shared body and one device’s part of a message; larger things are attachments',
  },
  frameBytes: {
    value: 128 * KiB,
    unit: 'bytes',
    why: 'what one frame may make a server hold before it is authenticated and decoded',
  },
  partsPerFrame: { value: 1_000, unit: 'devices', why: 'fan-out of one frame; a larger group is sent in several' },
  deviceIdBytes: { value: 255, unit: 'bytes', why: 'fits every key of every store' },
  messageIdBytes: { value: 16, unit: 'bytes', why: 'a UUID' },
  tokenBytes: { value: 2 * KiB, unit: 'bytes', why: 'an access token with room to grow' },
  acksPerFrame: {
    value: 1_000,
    unit: 'messages',
    why: 'messages that one frame acknowledges to their sender: ten full windows',
  },
  errorTextBytes: { value: 512, unit: 'bytes', why: 'a sentence' },
  errorCodeBytes: { value: 64, unit: 'bytes', why: 'a word or two' },
  clientNameBytes: { value: 128, unit: 'bytes', why: 'name and version of a client, for the operator’s eyes' },
  mismatchDevices: {
    value: 200,
    unit: 'devices',
    why: 'that one list of a refusal names: it fits a frame, and a client that mends these is told of the next',
  },
  helloMs: { value: 5 * SECOND, unit: 'ms', why: 'a socket that does not introduce itself costs memory' },
  pingEveryMs: {
    value: 25 * SECOND,
    unit: 'ms',
    why: 'below the idle time-outs of common load balancers (60 s) and NATs',
  },
  pongWithinMs: { value: 8 * SECOND, unit: 'ms', why: 'a half-open link is found within ping + pong' },
  windowMessages: { value: 100, unit: 'messages', why: 'delivered and not yet acknowledged, per socket' },
  windowBytes: { value: 1 * MiB, unit: 'bytes', why: 'the same window in bytes' },
  socketQueueBytes: {
    value: 1 * MiB,
    unit: 'bytes',
    why: 'beyond it the consumer is slow: closed, and the mailbox keeps the rest',
  },
  framesPerTurn: {
    value: 32,
    unit: 'frames',
    why: 'that one socket is served before the others have their turn, control frames too, each further recipient as one more: some 200 µs',
  },
  bytesPerTurn: { value: 64 * KiB, unit: 'bytes', why: 'the same in bytes: what one read of a socket brings' },
  spareFramesBurst: {
    value: 500,
    unit: 'frames',
    why: 'of a socket at once that bring no message: unknown ones, `Ping`, `Renew`, `Ephemeral`, `Show`, `Appear`, `Ack` of nothing new, pings and pongs of the WebSocket',
  },
  spareFramesPerSecond: {
    value: 50,
    unit: 'frames/s',
    why: 'of these from then on: a client sends one or two, and 200 sockets at this rate cost a tenth of a core',
  },
  unwrittenBytes: {
    value: 128 * KiB,
    unit: 'bytes',
    why: 'of messages from one socket that wait for their durable write, 256 more for each recipient; beyond it no more are read: an eighth of a batch',
  },
  loginsPerAddress: {
    value: 8,
    unit: 'logins',
    why: 'of sockets from one address that are verified at once, the others wait: twice the threads that verify',
  },
  mailboxMessages: { value: 10_000, unit: 'messages', why: 'a device that stays away must not fill the disk' },
  mailboxBytes: { value: 64 * MiB, unit: 'bytes', why: 'the same in bytes' },
  accountMessages: {
    value: 20_000,
    unit: 'messages',
    why: 'what waits for all devices of an account together, an equal share for each: ten devices must not fill ten times the disk',
  },
  accountBytes: { value: 128 * MiB, unit: 'bytes', why: 'the same in bytes' },
  messageLifeMs: { value: 45 * DAY, unit: 'ms', why: 'longer than a signed prekey is kept after its replacement' },
  repeatMemoryMs: {
    value: 2 * 60 * MINUTE,
    unit: 'ms',
    why: 'how long a repeated message id is recognised: longer than a client that lost its answer stays away; after it the recipient knows it',
  },
  repeatMemoryMessages: {
    value: 2_000_000,
    unit: 'messages',
    why: 'of these ids the newest, so that their memory has an end: 32 bytes each in the embedded store',
  },
  claimedPrekeyMemoryMs: {
    value: 2 * DAY,
    unit: 'ms',
    why: 'an upload of one-time keys that is repeated after its answer was lost brings none back that was handed out',
  },
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
  attachmentBytes: {
    value: 2_304 * MiB,
    unit: 'bytes',
    why: 'one file with its padding: 2 GiB of content; the operator may change it',
  },
  attachmentBytesPerAccount: {
    value: 10 * GiB,
    unit: 'bytes',
    why: 'all that an account has uploaded and not deleted, unfinished ones too; the operator may change it',
  },
  attachmentsPerAccount: {
    value: 2_000,
    unit: 'entries',
    why: 'the same in number: two each hour of their life; all are counted with each new one',
  },
  attachmentLifeMs: {
    value: 30 * DAY,
    unit: 'ms',
    why: 'how long an uploaded file is kept; the operator may change it',
  },
  uploadLifeMs: {
    value: DAY,
    unit: 'ms',
    why: 'an upload that is not complete after it is swept: a slow link needs hours',
  },
  transferStallMs: {
    value: 30 * SECOND,
    unit: 'ms',
    why: 'in which an upload to the embedded place brings at least `transferStallBytes`, and a download takes some',
  },
  transferStallBytes: {
    value: 16 * KiB,
    unit: 'bytes',
    why: 'half a KiB a second: the slowest link that a file is sent over',
  },
  prekeysPerDevice: {
    value: 200,
    unit: 'keys',
    why: 'held, and in one request, as LIME servers have it; liblime needs at least its low limit and one batch: 125',
  },
  bundlesPerRequest: { value: 500, unit: 'devices', why: 'one key request of a large group' },
  limeBodyBytes: {
    value: 320 * KiB,
    unit: 'bytes',
    why: 'a registration with 200 one-time prekeys of the largest suite, 327,404 bytes; lime-protocol section 15 asks for 64 KB',
  },
  limeAnswerBytes: {
    value: 2 * MiB,
    unit: 'bytes',
    why: 'an answer to one key request of a large group: 500 bundles of the largest suite, 1.9 MB',
  },
  manifestBytes: { value: 16 * KiB, unit: 'bytes', why: 'ten devices with room to grow' },
  accountCertificateBytes: {
    value: 1 * KiB,
    unit: 'bytes',
    why: 'the longest address, a key and a signature, with room to grow',
  },
  manifestPage: { value: 100, unit: 'entries', why: 'one page of a manifest history' },
  manifestPageBytes: {
    value: 2_304 * KiB,
    unit: 'bytes',
    why: 'the same in bytes: a hundred manifests of full size with their signatures, as base64url',
  },
  jsonBodyBytes: { value: 64 * KiB, unit: 'bytes', why: 'the largest API body is a manifest' },
  bundleFetchesPerPair: {
    value: 6,
    unit: 'requests',
    why: 'per requesting and requested device and suite in ten minutes, for an account twice as many in an hour: no drain of one-time keys by one caller',
  },
  bundleFetchesPerTarget: {
    value: 60,
    unit: 'requests',
    why: 'per requested device and suite in an hour, the last half for who had none: no drain by many callers',
  },
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
  groupMembers: {
    value: 1_000,
    unit: 'entries',
    why: 'of one group, invited ones too: each message is encrypted for every device of theirs',
  },
  groupEvents: {
    value: 5_000,
    unit: 'entries',
    why: 'of a group’s log: years of changes; one that is full goes on without changes, or in a new group',
  },
  groupEventsPerMember: {
    value: 1_500,
    unit: 'entries',
    why: 'of one actor: an administrator who brings in a thousand one by one has room left, and one who floods fills a third',
  },
  groupEventBytes: { value: 24 * KiB, unit: 'bytes', why: 'one event: a picture’s descriptor, or 64 invited accounts' },
  groupLogBytes: { value: 4 * MiB, unit: 'bytes', why: 'a group’s log in bytes: `groupEvents` of 800 bytes' },
  groupLogBytesPerMember: { value: 1 * MiB, unit: 'bytes', why: 'the same of one actor' },
  groupBranches: {
    value: 4,
    unit: 'entries',
    why: 'events of one actor with one number, which honest devices make two of at most; more wait until somebody else builds on them',
  },
  groupPending: {
    value: 256,
    unit: 'entries',
    why: 'events of a group that wait for others; beyond it the oldest go, and come again when they are asked for',
  },
  drainSocketsPerSecond: {
    value: 400,
    unit: 'sockets/s',
    why: 'clients of a node that stops come back in a stream, not in a wave',
  },
} as const satisfies Record<string, Limit>;
