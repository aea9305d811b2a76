/**
 * What operators decided, as the servers read it (docs/adr/0063-administration.md): about an account, about a domain, about this
 * installation. Written by the administrator's door alone.
 */
import { type AccountAddress, accountOf } from '@sealwire/wire/ids';
import type { OperatorRecordKind } from './operator-port.ts';
import { type AppPasswords, type AttachmentRoom, type Devices, type Room, type Store, StoreError } from './port.ts';

type Records = Pick<Store, 'operatorRecords'>;
interface Readable {
  readonly operatorRecords: Pick<Store['operatorRecords'], 'read'>;
}

/** What was decided about an account. It is of the address: deletion and a reset leave it. */
export interface Standing {
  /** ms since 1970: no device of it gets in from then on. */
  readonly disabledAt?: number | undefined;
  /** What may wait for all its devices together, in the place of the setting. */
  readonly mail?: Partial<Room> | undefined;
  /** What its files may take, in the place of the setting. */
  readonly files?: Partial<AttachmentRoom> | undefined;
}

/** While it lasts nobody logs in or makes an account. */
export interface Maintenance {
  readonly since: number;
  /** Whoever is refused is asked to come back after so many seconds. */
  readonly retryAfterSeconds: number;
}

/** For all who are connected, until it ends. */
export interface Notice {
  readonly id: string;
  readonly text: string;
  /** ms since 1970. */
  readonly at: number;
  readonly until: number;
}

/** Under which the one record of a kind is. */
const ONLY = 'installation';
const ROUNDS = 20;
export const NOTICES_AT_ONCE = 20;

export async function readStandings(
  { operatorRecords }: Readable,
  addresses: readonly AccountAddress[],
): Promise<(Standing | undefined)[]> {
  const found = await operatorRecords.read('standing', addresses);
  return found.map((record) => record && (JSON.parse(record.text) as Standing));
}

export async function isDisabled(records: Readable, address: AccountAddress): Promise<boolean> {
  const [standing] = await readStandings(records, [address]);
  return standing?.disabledAt !== undefined;
}

/** What `change` makes of what is there; what that is then. */
export function changeStanding(
  records: Records,
  address: AccountAddress,
  change: (standing: Standing) => Standing,
): Promise<Standing> {
  return changeRecord(records, 'standing', address, (before) => change((before ?? {}) as Standing));
}

/** Devices of accounts that may come in: one of a disabled account is not found. */
export function admittedDevices(store: Readable & { readonly devices: Devices }): Pick<Devices, 'find'> {
  return {
    async find(id) {
      const [device, isOut] = await Promise.all([store.devices.find(id), isDisabled(store, accountOf(id))]);
      return isOut ? undefined : device;
    },
  };
}

/** App passwords of accounts that may come in: a disabled account has none. */
export function admittedPasswords(
  store: Readable & { readonly appPasswords: AppPasswords },
): Pick<AppPasswords, 'list' | 'markUsed'> {
  return {
    async list(address) {
      const [passwords, isOut] = await Promise.all([store.appPasswords.list(address), isDisabled(store, address)]);
      return isOut ? [] : passwords;
    },
    markUsed: (address, id, at) => store.appPasswords.markUsed(address, id, at),
  };
}

/** `domain` in small letters. */
export async function isBlockedDomain({ operatorRecords }: Readable, domain: string): Promise<boolean> {
  const [found] = await operatorRecords.read('domain', [domain]);
  return found !== undefined;
}

export async function readMaintenance({ operatorRecords }: Readable): Promise<Maintenance | undefined> {
  const [found] = await operatorRecords.read('maintenance', [ONLY]);
  const { mode } = found ? (JSON.parse(found.text) as { mode: Maintenance | null }) : { mode: null };
  return mode ?? undefined;
}

/** Undefined: it is over. */
export async function writeMaintenance(records: Records, mode: Maintenance | undefined): Promise<void> {
  await changeRecord(records, 'maintenance', ONLY, () => ({ mode: mode ?? null }));
}

/** Those that have not ended by `now`, oldest first. */
export async function readNotices({ operatorRecords }: Records, now: number): Promise<Notice[]> {
  const found = await operatorRecords.list('notice', '', NOTICES_AT_ONCE);
  const notices = found.map(({ text }) => JSON.parse(text) as Notice);
  return notices.filter(({ until }) => until > now).sort((a, b) => a.at - b.at);
}

/** Reads, changes and replaces until nobody came between. */
async function changeRecord<T extends object>(
  { operatorRecords }: Records,
  kind: OperatorRecordKind,
  key: string,
  change: (before: object | undefined) => T,
): Promise<T> {
  for (let round = 0; round < ROUNDS; round++) {
    const [known] = await operatorRecords.read(kind, [key]);
    const next = change(known && (JSON.parse(known.text) as object));
    const version = known?.version ?? 0;
    try {
      await operatorRecords.replace(kind, version, { key, version: version + 1, text: JSON.stringify(next) });
      return next;
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error;
    }
  }
  throw new StoreError('unavailable', 'others changed the record again and again');
}
