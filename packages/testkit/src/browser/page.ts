/**
 * The program of a page, for tests with a real browser: one device, whose calls are made from
 * outside.
 */
import { blobSource } from '@sealwire/client/browser/blob-source';
import { IndexedDbStorage } from '@sealwire/client/browser/indexed-db-storage';
import { requestPersistence } from '@sealwire/client/browser/persistence';
import { browserRuntime } from '@sealwire/client/browser/runtime';
import { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import { fileContent, fileIn } from '@sealwire/client/file-content';
import { SealedStorage } from '@sealwire/client/sealed-storage';
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';

const runtime = browserRuntime();
const storageKey = new Uint8Array(32).fill(7);
const texts: string[] = [];
const files: FileDescriptor[] = [];
let look = () => {};
let client: Client | undefined;
let durable = 0;

async function storageOf(name: string): Promise<SealedStorage> {
  return new SealedStorage(await IndexedDbStorage.open(name), storageKey, runtime.crypto, runtime.random);
}

async function begin(opened: Client): Promise<string> {
  client = opened;
  void read(opened);
  await opened.connect();
  return opened.address;
}

async function read(opened: Client): Promise<void> {
  for await (const event of opened.messages()) {
    if (event.kind !== 'message') continue;
    const file = fileIn(event);
    if (file) files.push(file);
    if (event.text !== undefined) texts.push(event.text);
    look();
  }
}

/**
 * What a call answers, or the code of its error: of an exception, only the text would get out of
 * the page.
 */
async function coded<T>(call: Promise<T>): Promise<T | string> {
  try {
    return await call;
  } catch (error) {
    return error instanceof ClientError ? error.code : String(error);
  }
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>[]> {
  const all: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) all.push(piece.slice());
  return all;
}

function countDecryptions(): () => number {
  const { subtle } = crypto;
  const decrypt = subtle.decrypt.bind(subtle);
  let count = 0;
  subtle.decrypt = (...given) => {
    count++;
    return decrypt(...given);
  };
  return () => count;
}

function countingUp(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i % 251);
}

export const device = {
  register: (server: string, name: string) =>
    coded(
      storageOf(name)
        .then((storage) => Client.register({ server, name, storage, runtime }))
        .then(begin),
    ),
  open: (name: string) =>
    coded(
      storageOf(name)
        .then((storage) => Client.open({ storage, runtime }))
        .then(begin),
    ),
  /** Resolves when the server has it. */
  send: (to: string, text: string) =>
    coded(client!.send(to, text).then(({ accepted }) => accepted.then(() => 'accepted'))),
  /** A file of so many bytes, which count up. */
  sendFile: (to: string, size: number) =>
    coded(
      (async () => {
        const blob = new Blob([countingUp(size)]);
        const sent = await client!.files.upload(blobSource(blob), {
          name: 'numbers.bin',
          type: 'application/x-numbers',
        });
        await (await client!.send(to, fileContent(sent))).accepted;
        return 'accepted';
      })(),
    ),
  /**
   * What came of the first file, once there is one: its bytes, whether they count up, those of a
   * part, and how often the browser itself decrypted.
   */
  receiveFile: () =>
    coded(
      (async () => {
        await new Promise<void>((resolve) => {
          look = () => void (files.length > 0 && resolve());
          look();
        });
        const native = countDecryptions();
        const whole = new Uint8Array(await new Blob(await collect(client!.files.download(files[0]!))).arrayBuffer());
        const part = await collect(client!.files.downloadRange(files[0]!, 99_998, 100_001));
        const counts = countingUp(whole.length).every((byte, i) => byte === whole[i]);
        return { size: whole.length, counts, part: part.flatMap((piece) => [...piece]), native: native() };
      })(),
    ),
  /** Numbers without end, each once the one before is durable here. */
  async sendNumbers(to: string): Promise<void> {
    for (let n = 0; ; n++) {
      const { accepted } = await client!.send(to, String(n));
      accepted.catch(() => undefined);
      durable = n + 1;
    }
  },
  durable: () => durable,
  /** All texts that came, once there are so many. */
  texts: (count: number) =>
    new Promise<string[]>((resolve) => {
      look = () => void (texts.length >= count && resolve(texts));
      look();
    }),
  persistent: () => requestPersistence(),
};

(globalThis as unknown as { device: typeof device }).device = device;
