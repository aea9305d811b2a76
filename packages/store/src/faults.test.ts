import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  ALICE,
  accepted,
  BOB,
  deviceId,
  expectError,
  mail,
  people,
  REPEATED,
  ROOMY,
  seqsIn,
} from './contract/fixture.ts';
import { storeContract } from './contract.ts';
import { withFaults } from './faults.ts';
import { openMemoryStore } from './memory.ts';
import type { Mail } from './port.ts';

storeContract('memory behind a plan without faults', async () => {
  const store = withFaults(openMemoryStore(), () => 'done');
  return { store, close: () => store.close() };
});

describe('withFaults', () => {
  let phone: DeviceId;
  let append: Mail[];

  beforeEach(() => {
    phone = deviceId(ALICE, 1);
    append = [mail(1, deviceId(BOB, 1), [phone])];
  });

  it('fails a write before it happened: the repeat is accepted', async () => {
    const store = withFaults(openMemoryStore(), (call, nth) =>
      call === 'mailboxes.append' && nth === 1 ? 'failed' : 'done',
    );
    await people(store, ALICE, 1);
    await expectError(store.mailboxes.append(append, ROOMY), 'unavailable');
    expect(await seqsIn(store, phone)).toEqual([]);
    expect(await store.mailboxes.append(append, ROOMY)).toEqual([accepted(1)]);
  });

  it('fails a write that was persisted: the repeat is a repeat', async () => {
    const store = withFaults(openMemoryStore(), (call, nth) =>
      call === 'mailboxes.append' && nth === 1 ? 'failed-but-persisted' : 'done',
    );
    await people(store, ALICE, 1);
    await expectError(store.mailboxes.append(append, ROOMY), 'unavailable');
    expect(await seqsIn(store, phone)).toEqual([1]);
    expect(await store.mailboxes.append(append, ROOMY)).toEqual([REPEATED]);
  });

  it('counts each call by its name, and asks for every write', async () => {
    const asked: string[] = [];
    const store = withFaults(openMemoryStore(), (call, nth) => {
      asked.push(`${call} ${nth}`);
      return 'done';
    });
    await people(store, ALICE, 1);
    await store.mailboxes.append(append, ROOMY);
    await store.mailboxes.append(append, ROOMY);
    await store.probe();
    await store.devices.find(phone);
    expect(asked).toEqual(['accounts.create 1', 'mailboxes.append 1', 'mailboxes.append 2', 'probe 1']);
  });
});
