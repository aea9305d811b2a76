/** What a broker keeps for us, and what it refuses (mosquitto; skipped aloud without). */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hasMosquitto, type Mosquitto, startMosquitto } from '../testing/mosquitto.ts';
import { type Broker, connectBroker, withoutPassword } from './broker.ts';

const TOPIC = 'nes/bob/message';
let folder: string;
let mosquitto: Mosquitto;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-broker-'));
});
afterEach(async () => {
  await mosquitto?.stop();
  rmSync(folder, { recursive: true });
});

const reader = () => connectBroker({ url: mosquitto.url, clientId: 'nes-bob', keepsSession: true });

/** Takes what comes until `count` came, or leaves it. */
async function taken(count: number, isTaken: boolean): Promise<string[]> {
  const broker = reader();
  const texts: string[] = [];
  await new Promise<void>((resolve) => {
    void broker.subscribe(TOPIC, async (payload) => {
      texts.push(Buffer.from(payload).toString());
      if (texts.length === count) setImmediate(resolve);
      return isTaken;
    });
    if (count === 0) resolve();
  });
  // Later than any acknowledgement of what came: the broker has answered for this one.
  await broker.publish('nes/nobody/message', Buffer.from(''));
  await broker.close();
  return texts;
}

(hasMosquitto ? describe : describe.skip)('a broker (skipped without mosquitto)', () => {
  it('keeps a message until it was taken, and only until then', async () => {
    mosquitto = await startMosquitto(join(folder, 'broker'));
    const first = reader();
    await first.subscribe(TOPIC, async () => false);
    await first.close();
    const writer: Broker = connectBroker({ url: mosquitto.url, clientId: 'writer', keepsSession: false });
    for (const text of ['one', 'two']) await writer.publish(TOPIC, Buffer.from(text));
    expect(await taken(2, false)).toEqual(['one', 'two']);
    expect(await taken(2, true)).toEqual(['one', 'two']);
    await writer.publish(TOPIC, Buffer.from('three'));
    expect(await taken(1, true)).toEqual(['three']);
    await writer.close();
  });

  it('that lets nobody in without a password is told of at once, with the fix and without the password', async () => {
    mosquitto = await startMosquitto(join(folder, 'broker'), ['allow_anonymous false']);
    const url = mosquitto.url.replace('//', '//bob:secret@');
    const broker = connectBroker({ url, clientId: 'nes-bob', keepsSession: true });
    const refused = expect(broker.publish(TOPIC, Buffer.from(''))).rejects;
    await refused.toMatchObject({ ending: 'authentication', message: expect.stringMatching(/bob:\*\*\*@.*its URL$/) });
    await broker.close();
  });
});

it('a broker that does not let us read our topic is no place to wait at', async () => {
  // MQTT 3.1.1 sections 3.2 and 3.9: welcome, and then 0x80 for the one topic. mosquitto grants what it then withholds.
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.of(0x20, 2, 0, 0));
      socket.once('data', (subscribe) => socket.write(Buffer.of(0x90, 3, subscribe[2]!, subscribe[3]!, 0x80)));
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const broker = connectBroker({ url: `mqtt://127.0.0.1:${port}`, clientId: 'nes-bob', keepsSession: true });
  await expect(broker.subscribe(TOPIC, async () => true)).rejects.toMatchObject({
    ending: 'failure',
    message: `the broker mqtt://127.0.0.1:${port} does not let us read ${TOPIC}`,
  });
  await broker.close();
  server.close();
});

it('a broker is shown without its password', () => {
  expect(withoutPassword('mqtts://bob:secret@broker.example.org:8883')).toBe('mqtts://bob:***@broker.example.org:8883');
  expect(withoutPassword('tcp://127.0.0.1:1883')).toBe('tcp://127.0.0.1:1883');
});
