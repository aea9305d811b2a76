/**
 * The way of a new device into its account, in steps that can each be repeated (docs/spec/client.md section 1):
 *
 *   discovery → keys, saved before any of them is told to anybody → account or next manifest (`listed`) → login → keys in the
 *   directory (`ready`)
 *
 * Called again with the same storage after whatever ended it, it goes on with the same keys where it stopped; after its end only when
 * the server has lost the account (registration-again.ts).
 */
import type { SuiteName } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { AccountAnswer } from '@sealwire/wire/http';
import {
  type AccountAddress,
  type AccountName,
  addressOf,
  type DeviceId,
  parseDeviceId,
  typedName,
} from '@sealwire/wire/ids';
import { noPreviousManifest } from '@sealwire/wire/manifest';
import { WireError } from '@sealwire/wire/wire-error';
import { HttpCalls } from '../connection/http-calls.ts';
import type { EngineFactory } from '../engines/engine.ts';
import { Engines } from '../engines/engines.ts';
import { ClientError } from '../errors.ts';
import type { ClientRuntime } from '../runtime.ts';
import { assemble, type Services } from '../services.ts';
import type { Ledger } from '../storage/ledger.ts';
import { administratorSeed } from './administrator.ts';
import { addressOfServer, discover } from './discovery.ts';
import { forged, type LinkPrompts, linkAsNew } from './linking/link-as-new.ts';
import { manifestBody, publishNext, signManifest } from './manifest-draft.ts';
import { beginWithDevices } from './own-devices.ts';
import { deviceOf, pinPeer, writePeer } from './peer-record.ts';
import { alreadyRegistered, registerAgain } from './registration-again.ts';
import { readSelf, type SelfRecord, writeSelf } from './self-record.ts';

const SEED_BYTES = 32;
/** The server's last word: the account was not made, and the keys made for it are free again. */
const REFUSALS = [
  'name-taken',
  'invitation-invalid',
  'bad-request',
  'forbidden',
  'wrong-account-secret',
  'reset-code-invalid',
];

/** What the server says of an account that it has not, or of which somebody else has the name. */
const GONE = ['login-refused', 'account-lost', 'account-key-changed', 'device-removed'];

export interface RegistrationRequest {
  readonly kind: 'create' | 'join' | 'link';
  readonly server: string;
  readonly name: string;
  readonly suites: readonly SuiteName[];
  readonly invitation: string | undefined;
  /** The account is there, and gets another key. */
  readonly resetCode?: string | undefined;
  /** Of a device to be let in by another one. */
  readonly prompts?: LinkPrompts;
  /** Of a device to join: the account's. */
  readonly accountSeed: Uint8Array | undefined;
  /** Of a device to join: the others are lost, and go. */
  readonly alone?: boolean;
  readonly runtime: ClientRuntime;
  readonly engines: readonly EngineFactory[];
  readonly signal: AbortSignal | undefined;
}

type NamedRequest = RegistrationRequest & { readonly name: AccountName };

/** Throws `ClientError`: `already-registered`, `registration-pending` (of somebody else), and what the steps throw. */
export async function register(ledger: Ledger, typed: RegistrationRequest): Promise<SelfRecord> {
  const request = { ...typed, name: nameIn(typed.name) };
  const ready = readSelf(ledger);
  if (ready?.step === 'ready' && ready.name === request.name) {
    await registerAgain(assemble(ledger, ready, request.runtime, request.engines), request);
    return ready;
  }
  const server = addressOfServer(request.server);
  const http = new HttpCalls(server, request.runtime);
  const started = startedBefore(ledger, request);
  const self = started
    ? await continueAt(ledger, started, request, http, server)
    : await makeKeys(ledger, request, http, server);
  const services = assemble(ledger, self, request.runtime, request.engines);
  const listed = self.step === 'keys' ? await list(ledger, services, request) : self;
  try {
    for (const { keys, context } of services.engines.keyed(services.context)) await keys.publish(context);
  } catch (error) {
    const isGone = error instanceof ClientError && GONE.includes(error.code) && self.kind === 'create';
    // A registration that nobody finished for a day may have lost its name: then the server says so now.
    if (isGone && self.step === 'listed') await list(ledger, services, request);
    throw error;
  }
  return finish(ledger, services, listed);
}

/** Undefined when the storage is empty, or holds a registration that the server refused for good. */
function startedBefore(ledger: Ledger, request: RegistrationRequest): SelfRecord | undefined {
  const self = readSelf(ledger);
  if (!self) return undefined;
  if (self.step === 'ready') throw alreadyRegistered(self);
  const same = self.name === request.name && self.kind === request.kind;
  if (same && !(self.refused && hasOtherSecret(self, request))) return self;
  if (self.refused) return undefined;
  throw new ClientError(
    'registration-pending',
    `this storage holds an unfinished registration of ${self.name} at ${self.server}: finish that one, or choose another storage`,
  );
}

/** The same server may be asked by another address than last time; its keys and names are the same. */
async function continueAt(
  ledger: Ledger,
  self: SelfRecord,
  { signal }: RegistrationRequest,
  http: HttpCalls,
  server: string,
): Promise<SelfRecord> {
  if (self.server === server) return self;
  const { domain, paths } = await discover(http, server, signal);
  if (domain !== self.domain)
    throw new ClientError(
      'registration-pending',
      `this storage holds an unfinished registration of ${self.address}, which ${server} does not serve: finish that one, or choose another storage`,
    );
  return advance(ledger, self, { server, paths });
}

/** What was refused with one secret may be tried with another. */
function hasOtherSecret(self: SelfRecord, { accountSeed, runtime }: RegistrationRequest): boolean {
  if (!accountSeed || !self.accountSeed) return false;
  return !runtime.crypto.equal(self.accountSeed, accountSeed);
}

async function makeKeys(ledger: Ledger, request: NamedRequest, http: HttpCalls, server: string): Promise<SelfRecord> {
  const { crypto, random, now } = request.runtime;
  const { name } = request;
  const { domain, paths } = await discover(http, server, request.signal);
  const address = addressOf(name, domain);
  const device = newDeviceId(address, random(16));
  const accountSeed = request.kind === 'create' ? random(SEED_BYTES) : request.accountSeed;
  const loginSeed = random(SEED_BYTES);
  return ledger.commit((transaction) => {
    const engines = new Engines({ device, server, crypto, random, now }, request.engines);
    const identities = engines.createKeys(request.suites, transaction);
    const loginKey = crypto.ed25519.publicKey(loginSeed);
    const self: SelfRecord = {
      server,
      paths,
      domain,
      name,
      address,
      device,
      suites: request.suites,
      kind: request.kind,
      step: 'keys',
      refused: false,
      accountSeed,
      loginSeed,
      entry: { id: device, identities, loginKey, addedAt: now() },
    };
    writeSelf(transaction, self);
    return self;
  });
}

/** Gets this device into its account's manifest. */
async function list(ledger: Ledger, services: Services, request: RegistrationRequest): Promise<SelfRecord> {
  const { self } = services;
  let given: Partial<SelfRecord> = {};
  try {
    if (self.kind === 'create') await createAccount(ledger, services, request);
    else if (self.kind === 'join') await joinAccount(ledger, services, request);
    else given = await linkAccount(ledger, services, request);
  } catch (error) {
    if (error instanceof ClientError && REFUSALS.includes(error.code))
      await ledger.commit((transaction) => {
        writeSelf(transaction, { ...self, refused: true });
        // Whoever has the name has another key.
        if (self.kind === 'create') transaction.delete(`peer/${self.address}`);
      });
    throw error;
  }
  return advance(ledger, self, { ...given, step: 'listed', refused: false });
}

async function createAccount(ledger: Ledger, { self, http }: Services, request: RegistrationRequest): Promise<void> {
  const { crypto, now } = request.runtime;
  const accountSeed = administratorSeed(self);
  const accountKey = crypto.ed25519.publicKey(accountSeed);
  // The same bytes in every repetition: the server knows a repetition by them.
  const first = signManifest(crypto, accountSeed, {
    address: self.address,
    version: 1,
    previous: noPreviousManifest(),
    issuedAt: self.entry.addedAt,
    devices: [self.entry],
  });
  // Once it is done, its account is like any other, and so is a repeat.
  const isReset = request.resetCode !== undefined;
  const body = {
    name: self.name,
    accountKey: encodeBase64url(accountKey),
    manifest: manifestBody(first),
    ...(request.invitation === undefined || isReset ? {} : { invitation: request.invitation }),
    ...(isReset ? { code: request.resetCode } : {}),
  };
  const call = {
    method: 'POST',
    path: `${self.paths.api}/${isReset ? 'resets' : 'accounts'}`,
    body,
    signal: request.signal,
    repeatable: true,
  } as const;
  await http.json(call, AccountAnswer);
  await ledger.commit((transaction) => writePeer(transaction, pinPeer(crypto, self.address, accountKey, first, now())));
}

async function joinAccount(ledger: Ledger, services: Services, request: RegistrationRequest): Promise<void> {
  const { self, book, http } = services;
  const { crypto, now } = request.runtime;
  const known = await book.refresh(self.address);
  if (!crypto.equal(known.accountKey, crypto.ed25519.publicKey(administratorSeed(self)))) {
    await ledger.commit((transaction) => transaction.delete(`peer/${self.address}`));
    throw new ClientError(
      'wrong-account-secret',
      request.alone === undefined
        ? `this is not the account secret of ${self.name}: export it again on a device of the account`
        : `this recovery key is not the one of ${self.name}: it is of another account, or of the time before a reset`,
    );
  }
  await publishNext({ self, book, http, crypto, now }, (devices) =>
    // Whoever was let in since this device was named stays.
    devices.some(({ id }) => id === self.device) ? undefined : [...(request.alone ? [] : devices), self.entry],
  );
}

/**
 * The whole of it again after whatever ended it: nobody but the device that reads the code says whose account key this is. Answers what the
 * device was given.
 */
async function linkAccount(
  ledger: Ledger,
  services: Services,
  { runtime, prompts, signal }: RegistrationRequest,
): Promise<Pick<SelfRecord, 'accountSeed' | 'handover' | 'contactsKey'>> {
  const { self, book } = services;
  const { crypto } = runtime;
  await book.refresh(self.address);
  const { accountKey, accountSeed, handover, contactsKey } = await linkAsNew(services, runtime, prompts!, signal);
  const own = await book.refresh(self.address);
  if (!crypto.equal(own.accountKey, accountKey)) {
    await ledger.commit((transaction) => transaction.delete(`peer/${self.address}`));
    throw new ClientError(
      'account-key-changed',
      `the server shows another account under the name ${self.name} than the device that let this one in: ask the operator`,
    );
  }
  if (!deviceOf(own, self.device)) throw forged();
  return {
    accountSeed,
    ...(handover.length > 0 && { handover: handover.slice() }),
    ...(contactsKey && { contactsKey: contactsKey.slice() }),
  };
}

/** Its list of devices is the one that this device has seen itself in. */
async function finish(ledger: Ledger, { book }: Services, self: SelfRecord): Promise<SelfRecord> {
  const own = book.find(self.address);
  return ledger.commit((transaction) => {
    if (own) beginWithDevices(transaction, own);
    const ready = { ...self, step: 'ready' as const };
    writeSelf(transaction, ready);
    return ready;
  });
}

async function advance(ledger: Ledger, self: SelfRecord, change: Partial<SelfRecord>): Promise<SelfRecord> {
  const next = { ...self, ...change };
  await ledger.commit((transaction) => writeSelf(transaction, next));
  return next;
}

/** LIME's form of a device id (lime-protocol section 1) with a random UUID, version 4. */
function newDeviceId(address: AccountAddress, bytes: Uint8Array): DeviceId {
  const uuid = bytes.slice();
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  const hex = Array.from(uuid, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const text = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return parseDeviceId(`${address};gr=urn:uuid:${text}`);
}

function nameIn(text: string): AccountName {
  try {
    return typedName(text);
  } catch (error) {
    if (error instanceof WireError) throw new ClientError('bad-request', error.message, { cause: error });
    throw error;
  }
}
