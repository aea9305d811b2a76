/**
 * What every encryption engine must do, over a real server (docs/spec/engines.md): the ones that are shipped, and one that keeps
 * something of its own. Then what becomes of a message that an engine cannot read.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openFileBlobs } from '@sealwire/blobs/files';
import type { Blobs } from '@sealwire/blobs/port';
import { CONTENT_TYPE, callbackEngine } from '@sealwire/client/callback-engine';
import type { EngineFactory } from '@sealwire/client/engine';
import { fileContent, fileIn } from '@sealwire/client/file-content';
import { bytesSource } from '@sealwire/client/file-source';
import { limeEngine } from '@sealwire/client/lime-engine';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { plainEngine } from '@sealwire/client/plain-engine';
import { xorEngine } from '@sealwire/client/xor-engine';
import { type Constellation, startConstellation } from './constellation.ts';
import { sharedKeyEngine } from './documented/shared-key-engine.ts';
import { root } from './faults/source-process.ts';
import { afterCrash, join, type Person, register, take, takeTexts } from './person.ts';

jest.setTimeout(30_000);

const TEXT = 'The owl flies at midnight.';

/** Numbers its messages, on both sides, in records of its own. */
const countingEngine: EngineFactory = () =>
  callbackEngine({
    id: 'counting',
    mustBeChosen: true,
    processOutgoing: ({ body, conversation }, records) => {
      const number = (records.get(`sent ${conversation}`)?.[0] ?? 0) + 1;
      records.set(`sent ${conversation}`, Uint8Array.of(number));
      return { contentType: `application/x-counted;number=${number}`, body: body.toReversed() };
    },
    processIncoming: ({ contentType, body, conversation, sender }, records) => {
      const key = `read ${conversation} ${sender}`;
      const number = Number(contentType.split('=')[1]);
      if (number !== (records.get(key)?.[0] ?? 0) + 1) return 409;
      records.set(key, Uint8Array.of(number));
      return { contentType: CONTENT_TYPE, body: body.toReversed() };
    },
  });

let folder: string;
let blobs: Blobs;
let constellation: Constellation;
let people: Person[];

beforeEach(async () => {
  folder = mkdtempSync(pathOf(tmpdir(), 'sealwire-engines-'));
  blobs = await openFileBlobs({ folder });
  constellation = await startConstellation({ blobs });
  people = [];
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
  await blobs.close();
  rmSync(folder, { recursive: true });
});

async function person(name: string, ...engines: EngineFactory[]): Promise<Person> {
  const made = await register(constellation, name, { engines: [limeEngine, ...engines] });
  people.push(made);
  await made.client.connect();
  return made;
}

async function send({ client }: Person, to: string, text: string): Promise<string> {
  const { id, accepted } = await client.send(to, text);
  await accepted;
  return id;
}

const bodies = ({ network }: Person) =>
  network.framesReceived('deliver').map(({ body }) => Buffer.from(body).toString('latin1'));

describe.each<[string, EngineFactory, { hides: boolean; files?: true }]>([
  ['lime', limeEngine, { hides: true }],
  ['plain', plainEngine, { hides: false }],
  ['xor', xorEngine('word'), { hides: true, files: true }],
  ['counting', countingEngine, { hides: true }],
  ['shared-key', sharedKeyEngine(new Uint8Array(32).fill(1)), { hides: true }],
])('the engine %s', (id, factory, { hides, files }) => {
  const own = factory === limeEngine ? [] : [factory];
  const engines = [limeEngine, ...own];
  const reported = id === 'lime' ? {} : { engine: id };

  async function conversation(): Promise<[Person, Person]> {
    const [alice, bob] = [await person('alice', ...own), await person('bob', ...own)];
    await alice.client.engines.choose('bob', id);
    await bob.client.engines.choose('alice', id);
    return [alice, bob];
  }

  it('gives back what was sent and its type, in both directions, and is named in the event', async () => {
    const [alice, bob] = await conversation();
    const picture = { type: 'image/png', body: Uint8Array.from({ length: 3_000 }, (_, i) => i) };
    await send(alice, 'bob', TEXT);
    await (await alice.client.send('bob', picture)).accepted;
    expect(await take(bob.client, 'message', 2)).toMatchObject([
      { type: 'text/plain', text: TEXT, ...reported },
      { type: picture.type, body: picture.body, ...reported },
    ]);
    await send(bob, 'alice', 'It is known.');
    expect(await takeTexts(alice.client, 1)).toEqual(['It is known.']);
    expect(bodies(bob).some((body) => body.includes(TEXT))).toBe(!hides);
  });

  it('goes on after a crash where it was, with the choice of its conversation', async () => {
    const before = await conversation();
    await send(before[0], 'bob', 'before');
    await takeTexts(before[1].client, 1);
    const [alice, bob] = [await afterCrash(before[0], { engines }), await afterCrash(before[1], { engines })];
    people = [alice, bob];
    expect(alice.client.engines.chosen('bob')).toBe(id);
    for (const { client } of people) await client.connect();
    await send(alice, 'bob', 'after');
    expect(await take(bob.client, 'message', 1)).toMatchObject([{ text: 'after', ...reported }]);
  });

  it('serves the other devices of both accounts', async () => {
    const [alice, bob] = await conversation();
    const others = [await join(constellation, alice, { engines }), await join(constellation, bob, { engines })];
    people.push(...others);
    for (const [i, { client }] of others.entries()) {
      await client.engines.choose(i === 0 ? 'bob' : 'alice', id);
      await client.connect();
    }
    await send(alice, 'bob', 'to all');
    for (const { client } of [bob, ...others]) expect(await takeTexts(client, 1)).toEqual(['to all']);
  });

  it('has the files of its conversation encrypted, by itself or by LIME, and what comes is what was sent', async () => {
    const [alice, bob] = await conversation();
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i * 7);
    const about = { name: 'table.bin', type: 'application/x-table' };
    const sent = await alice.client.files.upload(bytesSource(bytes), { ...about, to: 'bob' });
    await (await alice.client.send('bob', fileContent(sent))).accepted;
    const [message] = await take(bob.client, 'message', 1);
    const descriptor = fileIn(message!)!;
    expect(descriptor).toMatchObject({ ...about, size: bytes.length });
    expect(descriptor.engine).toBe(files && id);
    const came: Uint8Array[] = [];
    for await (const piece of bob.client.files.download(descriptor)) came.push(piece);
    expect(Buffer.concat(came).equals(bytes)).toBe(true);
    const part: Uint8Array[] = [];
    for await (const piece of bob.client.files.downloadRange(descriptor, 65_000, 140_000)) part.push(piece);
    expect(Buffer.concat(part).equals(bytes.subarray(65_000, 140_000))).toBe(true);
    const atServer = Buffer.from(await (await fetch(descriptor.url)).arrayBuffer());
    expect(atServer).toHaveLength(descriptor.sealedSize);
    expect(atServer.includes(Buffer.from(bytes.subarray(0, 100)))).toBe(false);
  });

  it('concerns its conversation alone', async () => {
    const [alice] = await conversation();
    const carol = await person('carol', ...own);
    await send(alice, 'carol', 'as ever');
    const [message] = await take(carol.client, 'message', 1);
    expect(message).toMatchObject({ text: 'as ever' });
    expect(message).not.toHaveProperty('engine');
  });
});

describe('what cannot be read', () => {
  it('reaches a device without the engine as a refusal that the sender hears of: 488', async () => {
    const alice = await person('alice', xorEngine('word'));
    const bob = await person('bob');
    await alice.client.engines.choose('bob', 'xor');
    const id = await send(alice, 'bob', TEXT);
    expect(await take(bob.client, 'undecryptable', 1)).toMatchObject([{ code: 'unknown-engine' }]);
    const [refused] = await take(alice.client, 'message-refused', 1);
    expect(refused).toMatchObject({ device: bob.client.device, refusals: [{ id, statusCode: 488 }] });
    await alice.client.engines.choose('bob', undefined);
    await send(alice, 'bob', 'and now?');
    expect(await takeTexts(bob.client, 1)).toEqual(['and now?']);
  });

  it('T125: nothing of an engine that hides nothing is shown in a conversation that did not choose it', async () => {
    const [alice, bob] = [await person('alice', plainEngine), await person('bob', plainEngine)];
    await alice.client.engines.choose('bob', 'plain');
    await send(alice, 'bob', 'anybody could have written this');
    expect(await take(bob.client, 'undecryptable', 1)).toMatchObject([{ code: 'engine-not-chosen' }]);
    await bob.client.engines.choose('alice', 'plain');
    await send(alice, 'bob', 'as agreed');
    expect(await takeTexts(bob.client, 1)).toEqual(['as agreed']);
  });

  it.each<[string, () => number, number]>([
    ['answers a code', () => 606, 606],
    ['answers what is no code', () => 7, 500],
    [
      'throws',
      () => {
        throw new Error('out of order');
      },
      500,
    ],
  ])('is told to the sender when the engine %s, and changes nothing', async (_how, answer, statusCode) => {
    const failing: EngineFactory = () =>
      callbackEngine({
        id: 'counting',
        processOutgoing: () => -1,
        processIncoming: (_message, records) => {
          records.set('tried', Uint8Array.of(1));
          return answer();
        },
      });
    const [alice, bob] = [await person('alice', countingEngine), await person('bob', failing)];
    await alice.client.engines.choose('bob', 'counting');
    const id = await send(alice, 'bob', TEXT);
    expect(await take(bob.client, 'undecryptable', 1)).toMatchObject([{ code: 'engine-failed' }]);
    const [refused] = await take(alice.client, 'message-refused', 1);
    expect(refused!.refusals).toEqual([{ id, statusCode }]);
    expect(
      [...(await (bob.storage as MemoryStorage).copy().load()).keys()].filter((key) => key.startsWith('engine-')),
    ).toEqual([]);
  });

  it('and what was not sent: the engine’s code is in the error', async () => {
    const alice = await person('alice', () =>
      callbackEngine({ id: 'closed', processOutgoing: () => 403, processIncoming: () => 403 }),
    );
    await person('bob');
    await alice.client.engines.choose('bob', 'closed');
    const { accepted } = await alice.client.send('bob', TEXT);
    await expect(accepted).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('refused the message (403)'),
    });
  });
});

it('an engine may be registered while the device is open', async () => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  for (const { client } of [alice, bob]) client.engines.register(countingEngine);
  await expect(alice.client.engines.choose('bob', 'none')).rejects.toMatchObject({ code: 'no-engine' });
  await alice.client.engines.choose('bob', 'counting');
  await bob.client.engines.choose('alice', 'counting');
  await send(alice, 'bob', TEXT);
  expect(await take(bob.client, 'message', 1)).toMatchObject([{ text: TEXT, engine: 'counting' }]);
});

describe('docs/spec/engines.md', () => {
  const blocks = [...readFileSync(pathOf(root, 'docs/spec/engines.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)];
  const [program, use] = blocks.map(([, block]) => block!);

  it('has the engine that is tested above', () => {
    const file = pathOf(root, 'packages/testkit/src/documented/shared-key-engine.ts');
    expect(program).toBe(readFileSync(file, 'utf8'));
  });

  it('says how it is used', async () => {
    const key = new Uint8Array(32).fill(2);
    const [{ client }, bob] = [await person('alice'), await person('bob', sharedKeyEngine(key))];
    const run = new Function('client', 'sharedKeyEngine', 'key', `return (async () => {${use}})()`);
    await run(client, sharedKeyEngine, key);
    expect(await take(bob.client, 'message', 1)).toMatchObject([
      { text: 'By the key that we were given', engine: 'shared-key' },
    ]);
  });
});

it.each(['https://chat.example.org', 'http://localhost.example.org', 'http://10.0.0.1'])(
  'T126: the sample that hides nothing is refused at %s',
  (server) => {
    const setup = { server } as Parameters<EngineFactory>[0];
    expect(() => xorEngine('word')(setup)).toThrow(expect.objectContaining({ code: 'engine-refused' }));
  },
);
