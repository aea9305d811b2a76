/** People of two servers, whose directories know each other: what one sees of the other (docs/spec/client.md section 4). */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { type Constellation, startConstellation } from './constellation.ts';
import { join, type Person, register } from './person.ts';

jest.setTimeout(20_000);

const CAROL = 'sip:carol@example.com';
const publicKey = nodeCrypto().ed25519.publicKey(new Uint8Array(32));

let here: Constellation;
let there: Constellation;
let people: Person[];
let alice: Person;
let carol: Person;

beforeEach(async () => {
  there = await startConstellation({ directory: { DOMAIN: 'example.com' } });
  const url = new URL('/directory/lime', there.origin);
  here = await startConstellation({ directory: { PEER_DIRECTORIES: [{ domain: 'example.com', url, publicKey }] } });
  alice = await register(here, 'alice');
  carol = await register(there, 'carol');
  people = [alice, carol];
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await here.stop();
  await there.stop();
});

it('the devices of somebody on another server are read through the own one, and followed', async () => {
  const { accountKey, devices } = await alice.client.trust.peer(CAROL);
  expect(devices).toMatchObject([{ id: carol.client.device, trust: 'untrusted' }]);
  expect(accountKey).toEqual(carol.client.trust.peers()[0]!.accountKey);
  const tablets = [await join(there, carol), await join(there, carol)];
  people.push(...tablets);
  const ids = [carol, ...tablets].map(({ client }) => client.device);
  expect((await alice.client.trust.peer(CAROL)).devices.map(({ id }) => id).sort()).toEqual(ids.sort());
});

it('S44: a directory that shows another account key for somebody elsewhere is not believed', async () => {
  await alice.client.trust.peer(CAROL);
  const other = await register(there, 'carole');
  people.push(other);
  alice.network.intercept = async (request, ask) => {
    const answer = await ask();
    if (!request.url.endsWith('/manifests/carol%40example.com')) return answer;
    const { accountKey } = other.client.trust.peers()[0]!;
    return Response.json({
      ...((await answer.json()) as object),
      accountKey: Buffer.from(accountKey).toString('base64url'),
    });
  };
  await expect(alice.client.trust.peer(CAROL)).rejects.toMatchObject({ code: 'manifest-invalid' });
});

it('who is not there is told apart from a server that cannot be asked', async () => {
  await expect(alice.client.trust.peer('sip:dave@example.com')).rejects.toMatchObject({ code: 'unknown-account' });
  await expect(alice.client.trust.peer('sip:dave@example.net')).rejects.toMatchObject({ code: 'unknown-account' });
  await there.stop();
  await expect(alice.client.trust.peer(CAROL)).rejects.toMatchObject({ code: 'unavailable' });
  await there.start();
});

it('a message to another server is refused before a key of anybody is used up', async () => {
  await alice.client.connect();
  const asked: string[] = [];
  alice.network.intercept = (request, ask) => {
    asked.push(new URL(request.url).pathname);
    return ask();
  };
  const { accepted } = await alice.client.send(CAROL, 'hello over there');
  await expect(accepted).rejects.toMatchObject({ code: 'other-domain' });
  expect(asked.filter((path) => path.includes('lime'))).toEqual([]);
});
