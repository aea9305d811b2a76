/** What a device knows of its account's blocks (docs/spec/contacts.md section 5), over a server in memory. */
import { describe, expect, it } from '@jest/globals';
import type { AccountAddress } from '@sealwire/wire/ids';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { ClientBlocks } from './client-blocks.ts';

const BOB = 'sip:bob@example.org' as AccountAddress;
const CAROL = 'sip:carol@example.org' as AccountAddress;

describe('who is blocked', () => {
  it('is known on this device at once, after a restart, and from another device when the server is asked', async () => {
    const storage = new MemoryStorage();
    const onServer: AccountAddress[] = [];
    const hidden: AccountAddress[] = [];
    const open = async (of: MemoryStorage) => {
      const options = {
        ledger: await Ledger.open(of),
        self: { paths: { api: '/v1' } },
        http: { bytes: async () => new Uint8Array(0), json: async () => ({ blocked: [...onServer] }) },
        tokens: { authorized: (call: (token: string) => unknown) => call('token') },
        addressOf: (name: string) => name as AccountAddress,
        blocked: async (account: AccountAddress) => void hidden.push(account),
      };
      return new ClientBlocks(options as never);
    };
    const blocks = await open(storage);
    expect(blocks.isBlocked(BOB)).toBe(false);
    await blocks.add(BOB);
    expect([blocks.isBlocked(BOB), hidden]).toEqual([true, [BOB]]);
    const again = await open(storage.copy());
    expect(again.isBlocked(BOB)).toBe(true);
    await again.remove(BOB);
    onServer.push(CAROL);
    await again.list();
    expect([again.isBlocked(BOB), again.isBlocked(CAROL)]).toEqual([false, true]);
  });
});
