/** Answers of the key directory that are signed, and what somebody between it and a device can do with them: docs/spec/verification.md section 7. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { type Constellation, startConstellation } from './constellation.ts';
import { afterCrash, type Person, register, take, takeTexts } from './person.ts';

jest.setTimeout(30_000);

const HEADER = 'sealwire-signature';
const crypto = nodeCrypto();
let signingKey: Uint8Array | undefined;
let constellation: Constellation;
let people: Person[];
let alice: Person;
let bob: Person;

beforeEach(async () => {
  signingKey = systemRandom(32);
  people = [];
  constellation = await startConstellation({ signingKey: () => signingKey });
  alice = await register(constellation, 'alice');
  bob = await register(constellation, 'bob');
  people = [alice, bob];
  await alice.client.connect();
  await bob.client.connect();
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
});

/** What becomes of answers of the directory about bob's list, or with keys. */
function between(path: string, change: (answer: Response) => Response | Promise<Response>): void {
  alice.network.intercept = async (request, ask) => (request.url.includes(path) ? change(await ask()) : ask());
}

it('the key is pinned with the first answer, and kept; conversations go on as ever', async () => {
  await (await alice.client.send('bob', 'hello')).accepted;
  expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
  const key = crypto.ed25519.publicKey(signingKey!);
  expect(alice.client.trust.directoryKey()).toEqual(key);
  const again = await afterCrash(alice);
  people.push(again);
  expect(again.client.trust.directoryKey()).toEqual(key);
  await expect(again.client.trust.acceptDirectoryKey()).rejects.toMatchObject({ code: 'not-found' });
});

it('T169: an answer that was changed, taken from another question, or not signed any more is not believed', async () => {
  await alice.client.trust.peer('bob');
  const changed = async (answer: Response) => {
    const text = await answer.text();
    return new Response(text.replace('"version":1', '"version":2'), { headers: answer.headers });
  };
  between('/manifests/bob', changed);
  await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'directory-forged' });
  between('/manifests/bob', () => fetch(`${constellation.origin}/directory/manifests/alice`));
  await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'directory-forged' });
  between('/manifests/bob', async (answer) => new Response(await answer.text()));
  await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'directory-unsigned' });
  between('/manifests/bob', async (answer) => new Response(await answer.text(), { headers: { [HEADER]: 'key=' } }));
  await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'directory-forged' });
});

it('T228: that there is nobody is believed of the directory alone, and of the one that was asked for', async () => {
  const isNobody = { code: 'unknown-account' };
  await expect(alice.client.trust.peer('nobody')).rejects.toMatchObject(isNobody);
  const { origin } = constellation;
  const asked = (path: string) => fetch(`${origin}/directory/manifests/${path}`);
  const as = (answer: Response, status: number, headers: Headers | Record<string, string> = answer.headers) =>
    answer.text().then((text) => new Response(text, { status, headers }));
  between('/manifests/bob', async () => as(await asked('nobody'), 404, {}));
  await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({
    code: 'directory-unsigned',
    message: expect.stringMatching(/^[^\n]+$/),
  });
  // Of another question, and an answer of the one kind as one of the other.
  between('/manifests/bob', async () => as(await asked('nobody'), 404));
  await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'directory-forged' });
  between('/manifests/bob', async () => as(await asked('bob'), 404));
  await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'directory-forged' });
  between('/manifests/nobody', async () => as(await asked('nobody'), 200));
  await expect(alice.client.trust.peer('nobody')).rejects.toMatchObject({ code: 'directory-forged' });
  between('/manifests/', (answer) => answer);
  await expect(alice.client.trust.peer('nobody')).rejects.toMatchObject(isNobody);
  expect(await alice.client.trust.peer('bob')).toMatchObject({ manifestVersion: 1 });
});

it('T169: keys that were asked for by another request, or changed on their way, are not believed', async () => {
  await alice.client.trust.peer('bob');
  let asked = 0;
  between('/lime', async (answer) => {
    asked += 1;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    bytes[bytes.length - 1]! ^= 1;
    return new Response(bytes, { headers: answer.headers });
  });
  const { accepted } = await alice.client.send('bob', 'secret');
  accepted.catch(() => undefined);
  // Asked again: the first answer was refused.
  while (asked < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(alice.network.framesSent('send')).toEqual([]);
  alice.network.intercept = (_request, ask) => ask();
  await accepted;
  expect(await takeTexts(bob.client, 1)).toEqual(['secret']);
});

it('T169: another key: one event, nothing is believed, until the user accepts it', async () => {
  await alice.client.trust.peer('bob');
  signingKey = systemRandom(32);
  await constellation.stop();
  await constellation.start();
  const event = take(alice.client, 'directory-key-change', 1);
  for (let n = 0; n < 2; n++)
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'directory-key-changed' });
  expect(await event).toEqual([{ kind: 'directory-key-change' }]);
  await alice.client.trust.acceptDirectoryKey();
  expect(await alice.client.trust.peer('bob')).toMatchObject({ manifestVersion: 1 });
  expect(alice.client.trust.directoryKey()).toEqual(crypto.ed25519.publicKey(signingKey));
});

it('what LIME clients of others read is as it was: a header is all there is more', async () => {
  const answer = await fetch(`${constellation.origin}/directory/manifests/bob`);
  expect(answer.headers.get(HEADER)).toMatch(/^key=[\w-]{43}, time=\d+, signature=[\w-]{86}$/);
  const unknown = await fetch(`${constellation.origin}/directory/manifests/nobody`);
  expect([unknown.status, unknown.headers.get(HEADER)]).toEqual([404, expect.stringMatching(/^key=/)]);
  // Nothing was looked for.
  const nowhere = await fetch(`${constellation.origin}/directory/manifests/bob/elsewhere`);
  expect([nowhere.status, nowhere.headers.get(HEADER)]).toEqual([404, null]);
});
