import { describe, expect, it } from '@jest/globals';
import { encodeFileDescriptor, type FileDescriptor } from '@sealwire/wire/file-descriptor';
import { sealedFileSize } from '@sealwire/wire/file-sizes';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import type { IncomingMessage } from '../events.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { fileContent } from './file-content.ts';
import { RECEIVED_FILES, ReceivedFiles } from './received-files.ts';

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;

function descriptor(over: Partial<FileDescriptor> = {}): FileDescriptor {
  return {
    key: new Uint8Array(32).fill(1),
    digest: new Uint8Array(32).fill(2),
    size: 5,
    sealedSize: sealedFileSize(5),
    name: 'a.txt',
    type: 'text/plain',
    url: 'https://chat.example.org/v1/files/a',
    expiresAt: NOW + DAY,
    ...over,
  };
}

function message(id: string, sender = 'alice', file = descriptor()): IncomingMessage {
  const address = parseAccountAddress(`sip:${sender}@example.org`);
  return {
    kind: 'message',
    id,
    from: address,
    device: parseDeviceId(`${address};gr=urn:uuid:00000000-0000-4000-8000-000000000001`),
    conversation: address,
    ...fileContent(file),
    sentAt: NOW,
    acceptedAt: NOW,
    trust: 'untrusted',
  };
}

async function received(storage = new MemoryStorage()) {
  const ledger = await Ledger.open(storage);
  const clock = { now: NOW };
  return { files: new ReceivedFiles(ledger, () => clock.now), clock, storage, ledger };
}

describe('a received file', () => {
  it('is kept under a short number, without its thumbnail, over a restart too', async () => {
    const { files, storage } = await received();
    const thumbnail = { type: 'image/png', body: new Uint8Array(16_384) };
    const kept = await files.keep(message('m1'), descriptor({ thumbnail }));
    expect(kept).toMatchObject({ id: '1', message: 'm1', from: 'sip:alice@example.org', descriptor: descriptor() });
    expect(kept!.descriptor).not.toHaveProperty('thumbnail');
    const again = await received(storage.copy());
    expect(again.files.list()).toEqual([kept]);
    expect(again.files.find('1')).toEqual(kept);
    expect(encodeFileDescriptor(again.files.find('1').descriptor)).toEqual(encodeFileDescriptor(descriptor()));
  });

  it('that is shown again, as after a crash, is the same one; one id of two devices is two', async () => {
    const { files } = await received();
    const ids = [];
    for (const each of [message('m1'), message('m2'), message('m1'), message('m1', 'bob')])
      ids.push((await files.keep(each, descriptor()))?.id);
    expect(ids).toEqual(['1', '2', '1', '3']);
  });

  it('is gone at its end, and its number is given to no other one', async () => {
    const { files, clock } = await received();
    await files.keep(message('m1'), descriptor());
    clock.now += DAY;
    expect(files.list()).toEqual([]);
    expect(() => files.find('1')).toThrow(expect.objectContaining({ code: 'file-expired' }));
    const next = await files.keep(message('m2'), descriptor({ expiresAt: clock.now + DAY }));
    expect(next?.id).toBe('2');
    expect(() => files.find('1')).toThrow(expect.objectContaining({ code: 'file-expired' }));
    expect(await files.keep(message('m3'), descriptor())).toBeUndefined();
  });

  it.each(['', '0', '2', '-1', '01', '1.0', '1e0', 'x', '9999999999999999999'])(
    'there is none called %j',
    async (id) => {
      const { files } = await received();
      await files.keep(message('m1'), descriptor());
      expect(() => files.find(id)).toThrow(expect.objectContaining({ code: 'not-found' }));
    },
  );

  it('T139: is pushed out by nobody who sends more than all others', async () => {
    const { files, ledger } = await received();
    const wanted = [
      await files.keep(message('b1', 'bob'), descriptor()),
      await files.keep(message('c1', 'carol'), descriptor()),
    ];
    for (let i = 0; i < RECEIVED_FILES + 20; i++) await files.keep(message(`m${i}`, 'mallory'), descriptor());
    expect(ledger.keys('file/')).toHaveLength(RECEIVED_FILES);
    expect(files.list().slice(0, 2)).toEqual(wanted);
    expect(files.list().at(-1)?.message).toBe(`m${RECEIVED_FILES + 19}`);
  });
});
