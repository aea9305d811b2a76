/**
 * Every tunable of LIME: value, unit, reason, and whether peers have to agree on it (lime-protocol section 10).
 * An application overrides values by name in the constructor of `Lime`.
 */
export interface LimeSetting {
  readonly value: number;
  readonly unit: 'messages' | 'keys' | 'ms' | 'sessions' | 'chains';
  /** True when another value can break the dialogue with a peer that keeps this one. */
  readonly peersMustAgree: boolean;
  readonly why: string;
}

const DAY = 24 * 60 * 60 * 1000;

const free = (value: number, unit: LimeSetting['unit'], why: string): LimeSetting => ({
  value,
  unit,
  peersMustAgree: false,
  why,
});
const agreed = (value: number, unit: LimeSetting['unit'], why: string): LimeSetting => ({
  value,
  unit,
  peersMustAgree: true,
  why,
});

export const LIME_SETTINGS = {
  sendingChainMessages: agreed(
    1000,
    'messages',
    'sent without an answer before a new session is made; must stay within what a peer is ready to skip',
  ),
  skippedKeysPerMessage: agreed(
    1024,
    'keys',
    'the work that one unauthenticated header may cause; must cover the longest sending chain of a peer',
  ),
  skippedKeysPerSession: free(2048, 'keys', 'bounds the record of a session; the oldest are given up first'),
  skippedChainMessages: free(
    128,
    'messages',
    'decrypted since a chain last gained a skipped key; then its keys are given up: what is so late is lost',
  ),
  pastChainsRemembered: free(
    16,
    'chains',
    'left-behind chains recognised, so that a repeat is called a duplicate and costs no key agreement',
  ),
  signedPrekeyLifeMs: free(7 * DAY, 'ms', 'then replaced: bounds what a stolen signed prekey opens'),
  signedPrekeyKeptMs: free(30 * DAY, 'ms', 'after replacement: how long a first message may be under way'),
  signedPrekeyOffers: free(
    2,
    'messages',
    'updates that post a new signed prekey, so that one lost post does not leave the directory with the old one for a week',
  ),
  oneTimePrekeysAtRegistration: free(100, 'keys', 'first supply'),
  oneTimePrekeysLow: free(100, 'keys', 'refilled below this; the directory keeps at most 200'),
  oneTimePrekeysBatch: free(25, 'keys', 'at least so many in a refill'),
  oneTimePrekeyKeptMs: free(
    37 * DAY,
    'ms',
    'after it was missed at the directory: signed prekey life and keeping together',
  ),
  hybridSendingChainMessages: agreed(
    500,
    'messages',
    'as sendingChainMessages, in hybrid suites, which only LIME 5.4 and later speak',
  ),
  hybridSkippedKeysPerMessage: agreed(512, 'keys', 'as skippedKeysPerMessage, in hybrid suites'),
  hybridSkippedChainMessages: free(64, 'messages', 'as skippedChainMessages, in hybrid suites'),
  kemStepMessages: free(
    42,
    'messages',
    'exchanged since the last KEM step; beyond, the next ratchet step is one: the more, the longer a stolen state reads on, the fewer, the more bytes',
  ),
  kemStepEveryMs: free(1 * DAY, 'ms', 'the same in time: slow dialogues heal too'),
  updateEveryMs: free(1 * DAY, 'ms', 'how often a device looks after its keys'),
  staleSessionKeptMs: free(30 * DAY, 'ms', 'how long late messages of a replaced session are still read'),
  staleSessionsPerPeer: free(
    40,
    'sessions',
    'a peer that starts sessions without end costs bounded storage, and bounded work per message',
  ),
  rememberedInitsPerPeer: free(
    256,
    'sessions',
    'begun by one peer without one-time prekey, until the signed prekey goes: more are refused, since one that is forgotten could be replayed',
  ),
  signedPrekeyIdsRemembered: free(
    4,
    'keys',
    'per peer: a directory cannot bring back a signed prekey that the peer has replaced (0 switches it off)',
  ),
} as const satisfies Record<string, LimeSetting>;

export type LimeSettings = { readonly [name in keyof typeof LIME_SETTINGS]: number };

/** The defaults with `overrides` on top. */
export function limeSettings(overrides: Partial<LimeSettings> = {}): LimeSettings {
  const defaults = Object.entries(LIME_SETTINGS).map(([name, setting]) => [name, setting.value]);
  return { ...(Object.fromEntries(defaults) as LimeSettings), ...overrides };
}

/** The settings as they are for a session of a hybrid suite. */
export function hybridSettings(settings: LimeSettings): LimeSettings {
  const { hybridSendingChainMessages, hybridSkippedKeysPerMessage, hybridSkippedChainMessages } = settings;
  return {
    ...settings,
    sendingChainMessages: hybridSendingChainMessages,
    skippedKeysPerMessage: hybridSkippedKeysPerMessage,
    skippedChainMessages: hybridSkippedChainMessages,
  };
}
