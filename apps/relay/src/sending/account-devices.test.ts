import { describe, expect, it } from '@jest/globals';
import type { Device } from '@sealwire/store/port';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { AccountDevices } from './account-devices.ts';

const bob = parseAccountAddress('sip:bob@example.org');
const device = (number: number) => ({ id: parseDeviceId(`${bob};gr=urn:uuid:${number}`) }) as Device;

const store = (list: () => Promise<Device[][]>) => ({
  devices: { list },
  accountRecords: { read: async () => [undefined] },
  operatorRecords: { read: async () => [undefined] },
});

describe('the devices of an account', () => {
  it('E02: a list that was on its way when a change was told is not remembered', async () => {
    let answer: (devices: Device[][]) => void = () => {};
    const list = () =>
      new Promise<Device[][]>((resolve) => {
        answer = resolve;
      });
    const devices = new AccountDevices(store(list), 1_000, () => 0);
    const first = devices.load([bob]);
    devices.forget(bob);
    answer([[device(1)]]);
    // Whoever asked gets it: that was the list when it asked.
    expect([...(await first).get(bob)!.devices]).toEqual([device(1).id]);
    expect([devices.remembered(bob), devices.isSingle(device(1).id)]).toEqual([undefined, false]);

    const second = devices.load([bob]);
    answer([[device(1), device(2)]]);
    await second;
    expect([...devices.remembered(bob)!.devices]).toEqual([device(1).id, device(2).id]);
  });

  it('a list is as old as the question: one that was long on its way, from a store that stood still, is not believed', async () => {
    let now = 0;
    const list = async () => {
      now += 1_000;
      return [[device(1)]];
    };
    const devices = new AccountDevices(store(list), 1_000, () => now);
    expect([...(await devices.load([bob])).get(bob)!.devices]).toEqual([device(1).id]);
    expect([devices.remembered(bob), devices.isSingle(device(1).id)]).toEqual([undefined, false]);
  });

  it.each([
    ['an hour', 3_600_000],
    ['ten years', 3_650 * 86_400_000],
  ])('a list from before a clock was set back by %s is not believed until that time comes again', async (_, ms) => {
    let now = ms;
    const devices = new AccountDevices(
      store(async () => [[device(1)]]),
      1_000,
      () => now,
    );
    await devices.load([bob]);
    expect([devices.remembered(bob)?.devices.size, devices.isSingle(device(1).id)]).toEqual([1, true]);
    now -= ms;
    expect([devices.remembered(bob), devices.isSingle(device(1).id)]).toEqual([undefined, false]);
  });
});
