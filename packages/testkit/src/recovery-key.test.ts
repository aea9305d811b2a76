/** An account whose devices are all lost, and whose owner has its recovery key on paper (docs/spec/recovery.md sections 1 and 2). */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, type RecoverOptions } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { formatRecoveryKey } from '@sealwire/wire/recovery-key';
import { Company } from './company.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { join, type Person, runtimeOver, take, takeTexts } from './person.ts';

jest.setTimeout(20_000);

const company = new Company(1);
let alice: Person;
let bob: Person;
let paper: string;

beforeEach(async () => {
  [alice, bob] = [await company.person('alice'), await company.person('bob')];
  paper = alice.client.account.recoveryKey();
});

async function recover(options: Partial<RecoverOptions> = {}, network = new FlakyNetwork()): Promise<Client> {
  const client = await Client.recover({
    ...{ server: company.constellation.origin, name: 'alice', recoveryKey: paper, storage: new MemoryStorage() },
    runtime: runtimeOver(network),
    ...options,
  });
  company.clients.push(client);
  return client;
}

describe('with its recovery key', () => {
  it('T185: a new device enters alone; the lost ones are cut off, and contacts see an ordinary change of devices', async () => {
    const tablet = await join(company.constellation, alice);
    company.clients.push(tablet.client);
    await (await bob.client.send('alice', 'before')).accepted;
    await bob.client.trust.set(alice.client.device, 'trusted');
    const known = await bob.client.trust.peer('alice');
    await alice.client.close();

    const phone = await recover();
    await phone.connect();
    await expect(tablet.client.connect()).rejects.toMatchObject({ code: 'login-refused' });
    await (await bob.client.send('alice', 'after')).accepted;
    expect(await takeTexts(phone, 1)).toEqual(['after']);
    await (await phone.send('bob', 'I am back')).accepted;
    expect(await take(bob.client, 'message', 1)).toMatchObject([{ text: 'I am back', trust: 'untrusted' }]);
    const now = await bob.client.trust.peer('alice');
    expect([now.accountKey, now.manifestVersion]).toEqual([known.accountKey, known.manifestVersion + 1]);
    expect(now.devices).toMatchObject([{ id: phone.device, trust: 'untrusted' }]);
    // It may do what the first device did.
    expect(phone.account.recoveryKey()).toBe(paper);
  });

  it('a new device enters beside those that are there, where that is wanted', async () => {
    const phone = await recover({ keepDevices: true });
    const named = (await phone.devices.list()).map(({ id }) => id);
    expect(named).toEqual([alice.client.device, phone.device]);
    expect(alice.client.state).toBe('online');
  });

  it('it goes on after a lost answer, and removes nobody who was let in meanwhile', async () => {
    const network = new FlakyNetwork();
    const storage = new MemoryStorage();
    network.intercept = async (request, ask) => {
      const answer = await ask();
      if (request.method !== 'PUT') return answer;
      network.up = false;
      throw new TypeError('fetch failed');
    };
    await expect(recover({ storage }, network)).rejects.toMatchObject({ code: 'unreachable' });
    await storage.close();
    const other = await join(company.constellation, alice);
    company.clients.push(other.client);
    const phone = await recover({ storage });
    expect((await phone.devices.list()).map(({ id }) => id).sort()).toEqual([phone.device, other.client.device].sort());
  });

  it('what was typed wrong is told before anything is made or asked; another account’s key changes nothing', async () => {
    const network = new FlakyNetwork();
    const storage = new MemoryStorage();
    const mistyped = paper.replace(/^..../, (four) => `${four[1]}${four[0]}${four[2]}${four[3] === '7' ? '8' : '7'}`);
    const refused = recover({ recoveryKey: mistyped, storage }, network);
    await expect(refused).rejects.toMatchObject({
      code: 'bad-recovery-key',
      message: expect.stringContaining('group 1'),
    });
    expect((await storage.load()).size).toBe(0);
    await storage.close();
    const foreign = formatRecoveryKey(nodeCrypto(), systemRandom(32));
    await expect(recover({ recoveryKey: foreign, storage }, network)).rejects.toMatchObject({
      code: 'wrong-account-secret',
    });
    expect((await alice.client.devices.list()).map(({ id }) => id)).toEqual([alice.client.device]);
    // The storage is free for another try.
    await storage.close();
    await recover({ storage });
  });

  it('is told whether what is on paper is right', () => {
    expect(alice.client.account.isRecoveryKey(paper.toLowerCase())).toBe(true);
    expect(alice.client.account.isRecoveryKey(formatRecoveryKey(nodeCrypto(), systemRandom(32)))).toBe(false);
    expect(() => alice.client.account.isRecoveryKey(paper.slice(6))).toThrow(
      expect.objectContaining({ code: 'bad-recovery-key' }),
    );
  });
});
