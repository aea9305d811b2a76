/** For tests: devices of one account over one server that keeps its contact list, and may forget, lie, or lose answers. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { decodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ClientContacts } from '../contacts/client-contacts.ts';
import { ContactSync } from '../contacts/contact-sync.ts';
import { ClientError } from '../errors.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { Verdicts } from '../verification/verdicts.ts';

const crypto = nodeCrypto();
const random = seededRandom('contact-sync');
const accountSeed = random(32);
const address = 'sip:alice@example.org' as AccountAddress;

interface Kept {
  readonly version: number;
  readonly list: Uint8Array;
}

/** As the API has it (apps/api/src/contacts). */
export class ContactServer {
  kept: Kept | undefined;
  rules: { version: number; policy: string; salt: string; allowed: string } | undefined;
  writes = 0;
  /** Called before each write. */
  beforeWrite: () => void = () => {};
  losesAnswer = false;

  async json({ path }: { readonly path: string }) {
    if (!path.endsWith('/contacts')) throw new Error(path);
    return this.kept ?? { version: 0 };
  }

  async bytes({ path, body }: { readonly path: string; readonly body: never }) {
    if (path.endsWith('/policy')) {
      this.rules = body;
      return;
    }
    const { after, version, list } = body as { after: number; version: number; list: string };
    this.beforeWrite();
    if ((this.kept?.version ?? 0) !== after || version <= after) throw new ClientError('conflict', 'another version');
    this.kept = { version, list: decodeBase64url(list) };
    this.writes += 1;
    if (this.losesAnswer) throw new ClientError('unreachable', 'lost');
  }
}

export interface ContactDevice {
  readonly contacts: ClientContacts;
  readonly sync: ContactSync;
  readonly ledger: Ledger;
  readonly verdicts: Verdicts;
  readonly events: DurableEvent[];
  readonly clock: { now: number };
}

/** A device that holds the account secret, unless `given` says what it has instead. */
export async function contactDevice(server: ContactServer, given: object = { accountSeed }): Promise<ContactDevice> {
  const ledger = await Ledger.open(new MemoryStorage());
  const events: DurableEvent[] = [];
  const clock = { now: 1_000 };
  const verdicts = new Verdicts({ crypto, now: () => clock.now });
  const self = { address, paths: { api: '/v1' }, ...given };
  const sync = new ContactSync({
    self,
    ledger,
    http: server,
    tokens: { authorized: (call: (token: string) => unknown) => call('token') },
    verdicts,
    crypto,
    random,
    timers: { after: () => () => {} },
    inbox: { add: (_: unknown, event: DurableEvent) => () => void events.push(event) },
    trace: () => {},
  } as never);
  const addressOf = (name: string) => (name.includes('@') ? name : `sip:${name}@example.org`) as AccountAddress;
  const options = {
    self,
    ledger,
    book: { all: () => [] },
    sync,
    now: () => clock.now,
    addressOf,
    companions: () => [],
  };
  const contacts = new ClientContacts(options as never);
  return { contacts, sync, ledger, verdicts, events, clock };
}

/** Of its contacts, each with the user's own name for it. */
export const names = ({ contacts }: ContactDevice) =>
  contacts.list().map(({ address: of, name }) => `${of.slice(4, -12)}=${name}`);
