/**
 * The program of a page, for tests with a real browser: one device, whose calls are made from
 * outside.
 */
import { IndexedDbStorage } from '@sealwire/client/browser/indexed-db-storage';
import { requestPersistence } from '@sealwire/client/browser/persistence';
import { browserRuntime } from '@sealwire/client/browser/runtime';
import { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import { SealedStorage } from '@sealwire/client/sealed-storage';

const runtime = browserRuntime();
const storageKey = new Uint8Array(32).fill(7);
const texts: string[] = [];
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
    if (event.kind !== 'message' || event.text === undefined) continue;
    texts.push(event.text);
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
