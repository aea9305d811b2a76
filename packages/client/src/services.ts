/** What every part of an open device works with: calls, login, accounts, engines, over one ledger. */
import { LIME_CONTENT_TYPE } from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { resetEvent, throwIfReset } from './accounts/account-reset.ts';
import { Alarms } from './accounts/alarms.ts';
import { OwnManifests } from './accounts/own-manifests.ts';
import { PeerBook } from './accounts/peer-book.ts';
import { deviceOf } from './accounts/peer-record.ts';
import type { SelfRecord } from './accounts/self-record.ts';
import { AccessTokens } from './connection/access-tokens.ts';
import { DirectorySignatures } from './connection/directory-signatures.ts';
import { HttpCalls } from './connection/http-calls.ts';
import type { EngineContext, EngineFactory } from './engines/engine.ts';
import { Engines } from './engines/engines.ts';
import { compareKeys } from './engines/keys-comparison.ts';
import { ClientError } from './errors.ts';
import { IncomingChains } from './messages/chain/incoming-chains.ts';
import { OutgoingChains } from './messages/chain/outgoing-chains.ts';
import { KeptMessages } from './messages/healing/kept-messages.ts';
import { Refusals } from './messages/healing/refusals.ts';
import { Repeats } from './messages/healing/repeats.ts';
import { UnreadMessages } from './messages/healing/unread-messages.ts';
import { IncomingReceipts } from './messages/receipts/incoming-receipts.ts';
import { OwedNotices } from './messages/receipts/owed-notices.ts';
import { OwnDisplays } from './messages/receipts/own-displays.ts';
import { forgetSkipped } from './messages/skipped-devices.ts';
import { forgetTypingKeys } from './presence/typing-keys.ts';
import type { ClientRuntime } from './runtime.ts';
import type { Ledger } from './storage/ledger.ts';
import { Verdicts } from './verification/verdicts.ts';

export interface Services {
  readonly self: SelfRecord;
  readonly ledger: Ledger;
  readonly http: HttpCalls;
  readonly tokens: AccessTokens;
  readonly book: PeerBook;
  readonly alarms: Alarms;
  readonly verdicts: Verdicts;
  readonly signatures: DirectorySignatures;
  readonly manifests: OwnManifests;
  readonly engines: Engines;
  /** Chains that this device receives, and those that it writes. */
  readonly heard: IncomingChains;
  readonly written: OutgoingChains;
  readonly kept: KeptMessages;
  /** What this device could not read, and what others could not. */
  readonly unread: UnreadMessages;
  readonly repeats: Repeats;
  /** What others are told that could not be read, and what they tell. */
  readonly refusals: Refusals;
  /** What was displayed here, which notices LIME devices are owed, and what comes in of both. */
  readonly displays: OwnDisplays;
  readonly notices: OwedNotices;
  readonly incomingReceipts: IncomingReceipts;
  readonly context: EngineContext;
  /** The server turns out to have lost something of this account: it was restored from a backup. */
  setback(): void;
  /** Calls `listener` at each `setback`. */
  onSetback(listener: () => void): void;
  /** Fires when all calls that are under way are to end. */
  readonly lifetime: AbortSignal;
  /** Ends all calls that are under way. */
  stop(): void;
}

export function assemble(
  ledger: Ledger,
  self: SelfRecord,
  runtime: ClientRuntime,
  factories: readonly EngineFactory[],
): Services {
  const { crypto, random, now, floe } = runtime;
  const { device, loginSeed, server, paths } = self;
  // The paths of `/.well-known/sealwire` are the origin's, whatever the path of the server.
  const { origin } = new URL(server);
  const lifetime = new AbortController();
  const http = new HttpCalls(origin, runtime, lifetime.signal);
  const setbacks = new Set<() => void>();
  const setback = () => {
    for (const told of setbacks) told();
  };
  const isListed = async () => {
    const own = await book.refresh(self.address).catch(throwIfLost).catch(throwIfReset);
    const listed = deviceOf(own, device) !== undefined;
    if (listed) setback();
    return listed;
  };
  const tokens = new AccessTokens(http, { origin, apiPath: paths.api, device, loginSeed }, crypto, now, isListed);
  const manifests = new OwnManifests({ self, ledger, http, crypto });
  const engines = new Engines({ device, server: origin, crypto, random, now, ...(floe && { floe }) }, factories);
  const heard = new IncomingChains(ledger, crypto, device);
  const written = new OutgoingChains(ledger, crypto, device);
  const kept = new KeptMessages(now);
  const unread = new UnreadMessages(ledger, engines, now);
  const repeats = new Repeats(ledger, kept, written, now);
  const refusals = new Refusals(ledger, kept, now);
  const displays = new OwnDisplays(ledger, crypto, heard, device);
  const notices = new OwedNotices(ledger, now);
  const incomingReceipts = new IncomingReceipts({ written, displays, notices, own: self.address });
  const alarms = new Alarms();
  const verdicts = new Verdicts({ crypto, now });
  const signatures = new DirectorySignatures({ ledger, crypto, alarms });
  const judge = (kind: 'found' | 'none', subject: string, request: Uint8Array = new Uint8Array(0)) => {
    return (answer: Uint8Array, headers: Headers) => signatures.check({ subject, request, answer, kind }, headers);
  };
  const signed = (subject: string) => ({ check: judge('found', subject), checkNone: judge('none', subject) });
  const book: PeerBook = new PeerBook({
    ledger,
    signed,
    http,
    directoryPath: paths.directory,
    crypto,
    now,
    verdicts,
    own: {
      address: self.address,
      publishAgain: async (known, shown) => {
        setback();
        await manifests.publishAgain(known, shown);
      },
    },
    forgetDevice: (transaction, gone) => engines.forgetDevice(gone, transaction),
    accountReset: (transaction, address) => alarms.tell(transaction, resetEvent(address, self.address)),
    deviceLeft: (transaction, gone) => {
      engines.forgetDevice(gone, transaction);
      heard.forget(transaction, gone);
      forgetSkipped(transaction, gone);
      unread.forget(transaction, gone);
      refusals.forget(transaction, gone);
      displays.forget(transaction, gone);
      notices.forget(transaction, gone);
      forgetTypingKeys(transaction, gone);
    },
  });
  const context: EngineContext = {
    records: ledger,
    commit: (work) => ledger.commit(work),
    compareKeys: (suite, keys) => compareKeys({ http, tokens, crypto, directoryPath: paths.directory }, suite, keys),
    postToDirectory: (body) => {
      const headers = { 'content-type': LIME_CONTENT_TYPE, from: device };
      const call = {
        method: 'POST',
        path: paths.lime,
        headers,
        body,
        answerBytes: LIMITS.limeAnswerBytes.value,
        // A second request for bundles takes one more one-time key at most.
        repeatable: true,
        check: judge('found', 'lime', body),
      } as const;
      return tokens.authorized((token) => http.bytes({ ...call, token }));
    },
  };
  const onSetback = (listener: () => void) => void setbacks.add(listener);
  const stop = () => lifetime.abort();
  const ending = { lifetime: lifetime.signal, stop };
  const receipts = { displays, notices, incomingReceipts };
  const messages = { heard, written, kept, unread, repeats, refusals, ...receipts };
  return {
    self,
    ledger,
    http,
    tokens,
    book,
    alarms,
    verdicts,
    signatures,
    manifests,
    engines,
    ...messages,
    context,
    setback,
    onSetback,
    ...ending,
  };
}

/** For the look at our own account. */
function throwIfLost(error: unknown): never {
  if (!(error instanceof ClientError && error.code === 'unknown-account')) throw error;
  throw new ClientError(
    'account-lost',
    'the server does not know this account: it was deleted, or the server was restored from a backup older than the account',
    { cause: error },
  );
}
