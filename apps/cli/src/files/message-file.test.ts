/** Messages that name files, as `listen` and `chat` show them. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from '@sealwire/client/events';
import { fileContent } from '@sealwire/client/file-content';
import type { ReceivedFile } from '@sealwire/client/received-files';
import { FILE_DESCRIPTOR, FILE_TYPE, type FileDescriptor } from '@sealwire/wire/file-descriptor';
import { sealedFileSize } from '@sealwire/wire/file-sizes';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { Output } from '../output.ts';
import { showEvent } from '../show-event.ts';
import { NO_GROUPS } from '../testing/no-groups.ts';

const BOB = parseAccountAddress('sip:bob@example.org');
const ALICE = parseAccountAddress('sip:alice@example.org');
const FILE: FileDescriptor = {
  key: new Uint8Array(32).fill(1),
  digest: new Uint8Array(32).fill(2),
  size: 1_258_292,
  sealedSize: sealedFileSize(1_258_292),
  name: 'photo.jpg',
  type: 'image/jpeg',
  url: 'https://chat.example.org/v1/files/a?until=1&signature=b',
  expiresAt: 1_700_000_000_000,
};

const message = (content: { type: string; body: Uint8Array }): IncomingMessage => ({
  kind: 'message',
  id: 'm1',
  from: ALICE,
  device: parseDeviceId(`${ALICE};gr=urn:uuid:1`),
  conversation: ALICE,
  sentAt: 1,
  acceptedAt: 2,
  trust: 'untrusted',
  ...content,
});

/** `over`: the server does not have the file any more. */
async function shown(event: IncomingMessage, { json = false, over = false } = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const kept: FileDescriptor[] = [];
  const client = {
    address: BOB,
    inbox: { parked: () => [], retry: async () => {} },
    groups: NO_GROUPS,
    receivedFiles: {
      async keep(_message: IncomingMessage, descriptor: FileDescriptor) {
        if (over) return undefined;
        kept.push(descriptor);
        return { id: '3', descriptor } as ReceivedFile;
      },
    },
  };
  await showEvent(new Output({ stdout, stderr, json, color: false }), event, client);
  return { said: String(stdout.read()), kept };
}

describe('a message that names a file', () => {
  it('is shown with the command that fetches it, which is kept before', async () => {
    const { said, kept } = await shown(message(fileContent(FILE)));
    expect(said).toBe('alice: file photo.jpg (image/jpeg, 1.2 MiB) — sealwire file get 3\n');
    expect(kept).toEqual([FILE]);
  });

  it('is shown as over when the server does not have it any more', async () => {
    const { said } = await shown(message(fileContent(FILE)), { over: true });
    expect(said).toBe('alice: file photo.jpg (image/jpeg, 1.2 MiB) — the server does not have it any more\n');
  });

  it('T139: as JSON has nothing that opens or fetches it', async () => {
    const { said } = await shown(message(fileContent(FILE)), { json: true });
    const { file, ...rest } = JSON.parse(said) as Record<string, unknown>;
    const { name, type, size, expiresAt } = FILE;
    expect(file).toEqual({ id: '3', name, type, size, expiresAt });
    expect(rest).not.toHaveProperty('bytes');
    expect(said).not.toMatch(/AQEBAQ|signature/);
  });

  it('T138: and lies about it, is shown as that, and nothing is kept', async () => {
    const raw = { ...FILE, thumbnailType: '', thumbnail: new Uint8Array(0), engine: '' };
    for (const lie of [
      { name: '../../.ssh/authorized_keys' },
      { name: 'x\u001b[2Jy' },
      { sealedSize: 5 },
      { url: 'file:///etc/passwd' },
    ])
      for (const json of [false, true]) {
        const body = FILE_DESCRIPTOR.encode({ ...raw, ...lie });
        const { said, kept } = await shown(message({ type: FILE_TYPE, body }), { json });
        expect(said).toContain('this message names no file that could be fetched');
        for (const word of ['\u001b', 'authorized_keys', 'passwd']) expect(said).not.toContain(word);
        expect(kept).toEqual([]);
      }
  });
});
