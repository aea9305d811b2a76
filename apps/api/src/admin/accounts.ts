/** Orders about accounts: who there is, what each takes, who is shut out, who goes, and who gets another key. */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Announcer } from '@sealwire/service/announce';
import type { Log } from '@sealwire/service/log';
import { Problem } from '@sealwire/service/problem';
import { changeStanding, readStandings, type Standing } from '@sealwire/store/operator';
import type { Account, Store } from '@sealwire/store/port';
import { type AccountAddress, nameOf, typedAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { z } from 'zod';
import { deleteAccount } from '../accounts/account-service.ts';
import { RESET_DAYS, RESETS_PATH, resetCommands } from '../resets/reset-codes.ts';
import { type AdminOperation, type AdminRole, operation } from './operation.ts';

const PAGE = 100;
/** Accounts that one call looks at, when most of them are not asked for. */
const SCANNED = 2_000;
const BIGGEST = 2 ** 50;

export interface AccountsDeps {
  readonly store: Store;
  readonly announcer: Announcer;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly domain: string;
  readonly log: Log;
}

const name = z.string().min(1).max(320);
/** Null: as the settings say. */
const amount = z.int().min(0).max(BIGGEST).nullable().optional();
const byName = z.strictObject({ name });

export function accountOperations(deps: AccountsDeps): readonly AdminOperation[] {
  const { store, announcer, now, domain } = deps;
  const about = ({ name }: { name: string }) => addressOf(name, domain) ?? name;
  const found = (name: string) => findAccount(deps, name);
  /** An order that changes the account that it names. */
  const change = (order: string, needs: AdminRole, run: (address: AccountAddress) => Promise<object>) =>
    operation(order, {
      needs,
      changes: true,
      body: byName,
      about,
      run: async ({ name }) => run((await found(name)).address),
    });
  return [
    operation('accounts list', {
      needs: 'viewer',
      body: z.strictObject({
        after: z.string().max(512).optional(),
        limit: z.int().min(1).max(PAGE),
        filter: z.string().max(64).optional(),
        disabled: z.boolean().optional(),
        usage: z.boolean().optional(),
      }),
      run: (body) => listAccounts(store, body),
    }),
    operation('accounts show', {
      needs: 'viewer',
      body: byName,
      about,
      run: async ({ name }) => show(store, await found(name)),
    }),
    change('accounts disable', 'operator', async (address) => {
      const at = now();
      // Durable first: who is told of it by the bus asks the store.
      const disabled = (before: Standing) => ({ ...before, disabledAt: before.disabledAt ?? at });
      const { disabledAt } = await changeStanding(store, address, disabled);
      await announcer.accountDisabled(address);
      return { address, disabledAt };
    }),
    change('accounts enable', 'operator', async (address) => {
      await changeStanding(store, address, ({ disabledAt: _, ...rest }) => rest);
      return { address };
    }),
    operation('accounts quota', {
      needs: 'operator',
      changes: true,
      body: z.strictObject({ name, messages: amount, bytes: amount, files: amount, fileBytes: amount }),
      about,
      async run({ name, messages, bytes, files, fileBytes }) {
        const { address } = await found(name);
        const standing = await changeStanding(store, address, (before) => ({
          ...before,
          mail: changed(before.mail, { messages, bytes }),
          files: changed(before.files, { attachments: files, bytes: fileBytes }),
        }));
        await announcer.devicesChanged(address);
        return { address, ...quotaOf(standing) };
      },
    }),
    change('accounts delete', 'owner', async (address) => {
      await deleteAccount(deps, address);
      return { address };
    }),
    operation('accounts reset', {
      needs: 'owner',
      changes: true,
      path: RESETS_PATH,
      body: z.strictObject({ name, days: z.int().min(1).max(RESET_DAYS) }),
      about,
      run: (body) => resetCommands(deps)[RESETS_PATH](body),
    }),
  ];
}

interface ListQuery {
  readonly after?: string | undefined;
  readonly limit: number;
  readonly filter?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly usage?: boolean | undefined;
}

async function listAccounts(store: Store, { after = '', limit, filter, disabled, usage }: ListQuery) {
  const accounts: object[] = [];
  let last = after;
  let seen = 0;
  let isEnd = false;
  while (accounts.length < limit && seen < SCANNED && !isEnd) {
    const page = await store.accounts.page(last, PAGE);
    isEnd = page.length < PAGE;
    const addresses = page.map(({ address }) => address);
    const [standings, devices] = await Promise.all([readStandings(store, addresses), store.devices.list(addresses)]);
    for (const [i, account] of page.entries()) {
      const { address } = account;
      seen++;
      last = address;
      const standing = standings[i] ?? {};
      if (filter !== undefined && !nameOf(address).includes(filter)) continue;
      if (disabled !== undefined && disabled !== (standing.disabledAt !== undefined)) continue;
      const ids = devices[i]?.map(({ id }) => id) ?? [];
      accounts.push({
        address,
        createdAt: account.createdAt,
        devices: ids.length,
        ...standingOf(standing),
        ...(usage && (await usageOf(store, address))),
      });
      if (accounts.length === limit) break;
    }
  }
  const isAll = isEnd && accounts.length < limit;
  return { accounts, ...(last !== '' && !isAll && { next: last }) };
}

async function show(store: Store, { address, createdAt, accountKey }: Account) {
  const [[standing = {}], [devices = []], manifest, passwords, files] = await Promise.all([
    readStandings(store, [address]),
    store.devices.list([address]),
    store.manifests.newest(address),
    store.appPasswords.list(address),
    store.attachments.usage(address),
  ]);
  const mailboxes = await Promise.all(devices.map(({ id }) => store.mailboxes.usage(id)));
  return {
    address,
    createdAt,
    accountKey: Buffer.from(accountKey).toString('hex'),
    manifest: manifest?.version ?? 0,
    ...standingOf(standing),
    devices: devices.map(({ id, addedAt }, i) => ({ id, addedAt, waiting: mailboxes[i] })),
    appPasswords: passwords.length,
    files: { count: files.attachments, bytes: files.bytes },
  };
}

async function usageOf(store: Store, address: AccountAddress) {
  const [devices = []] = await store.devices.list([address]);
  const [files, ...mailboxes] = await Promise.all([
    store.attachments.usage(address),
    ...devices.map(({ id }) => store.mailboxes.usage(id)),
  ]);
  const sum = (of: 'messages' | 'bytes') => mailboxes.reduce((all, one) => all + one[of], 0);
  return {
    waiting: { messages: sum('messages'), bytes: sum('bytes') },
    files: { count: files.attachments, bytes: files.bytes },
  };
}

function standingOf({ disabledAt, ...rest }: Standing) {
  return { ...(disabledAt !== undefined && { disabledAt }), ...quotaOf(rest) };
}

function quotaOf({ mail, files }: Standing) {
  const quota = {
    ...mail,
    ...(files?.attachments !== undefined && { files: files.attachments }),
    ...(files?.bytes !== undefined && { fileBytes: files.bytes }),
  };
  return Object.keys(quota).length === 0 ? {} : { quota };
}

/** Undefined stays as it is, null goes; undefined when nothing is left. */
function changed<T extends object>(
  before: T | undefined,
  change: { [Key in keyof T]?: number | null | undefined },
): T | undefined {
  const next: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete next[key];
    else if (value !== undefined) next[key] = value;
  }
  return Object.keys(next).length === 0 ? undefined : (next as T);
}

/** Of a name as people write it: `alice`, `alice@example.org` or `sip:alice@example.org`. Throws a `not-found` `Problem`. */
async function findAccount({ store, domain }: AccountsDeps, name: string): Promise<Account> {
  const address = addressOf(name, domain);
  const account = address && (await store.accounts.find(address));
  if (!account) throw new Problem('not-found', { detail: `there is no account of that name on ${domain}` });
  return account;
}

function addressOf(name: string, domain: string): AccountAddress | undefined {
  try {
    const own = `@${domain}`;
    const isOwn = !name.startsWith('sip:') && name.endsWith(own);
    return typedAddress(isOwn ? name.slice(0, -own.length) : name, domain);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
