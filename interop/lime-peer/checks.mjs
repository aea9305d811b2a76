// What a LIME key server has to do for genuine clients, as checks in an order: later ones use the devices of earlier ones.
// They know nothing of the server but its URL, and how a device gets in (`Site`).
import assert from 'node:assert/strict';
import { Device, header } from './device.mjs';

const POLICIES = ['DRMessage', 'cipherMessage', 'optimizeUploadSize', 'optimizeGlobalBandwidth'];
const FRIENDS = 'sip:friends@conf.example.org';
const SOMEBODY_ELSE = 'sip:somebody-else@example.org';
const SHORT = 'short';
const LONG = 'long '.repeat(60);
/** Where a traced request or answer, in hex, says what it is; and where its content begins. */
const KIND = [2, 4];
const CONTENT = 6;
const CURVE_IDS = { c25519: 1, c448: 2 };

/** One curve at one site. Each check is `{ title, run }`. */
export function checksOf(curve, site) {
  const checks = [];
  const check = (title, run) => checks.push({ title, run });
  const device = (name, options) => Device.register(site, curve, name, options);
  const kindsOf = (answer) => answer.http.map(({ request_hex }) => request_hex.slice(...KIND));
  /** By their names: alice1, alice2, bob1, bob2, carol. */
  const people = {};
  const others = () => [people.alice2, people.bob1, people.bob2, people.carol];

  check('five devices of three people register', async () => {
    for (const name of ['alice1', 'alice2', 'bob1', 'bob2', 'carol']) people[name] = await device(name);
  });

  for (const [round, policy] of POLICIES.entries())
    for (const text of [SHORT, LONG])
      check(`a group message, ${policy}, ${text.length} bytes`, async () => {
        const message = await people.alice1.encrypt(others(), text, { policy, user: FRIENDS });
        const isSealed = policy === 'cipherMessage' || (policy.startsWith('optimize') && text === LONG);
        assert.equal(message.cipherMessage.length > 0, isSealed);
        for (const each of others()) {
          const { isDirect, hasInit } = header(message.to(each), curve);
          assert.deepEqual([isDirect, hasInit], [!isSealed, true]);
          const status = round === 0 && text === SHORT ? 'unknown' : 'untrusted';
          assert.deepEqual(await each.decrypt(people.alice1, message), { status, text });
        }
      });

  check('each answers, without an X3DH init', async () => {
    for (const each of others()) {
      const text = `hello from ${each.name}`;
      const message = await each.encrypt([people.alice1], text, { policy: 'cipherMessage' });
      assert.equal(header(message.to(people.alice1), curve).hasInit, false);
      assert.equal((await people.alice1.decrypt(each, message)).text, text);
    }
  });

  check('twelve messages out of order; a repeat is refused', async () => {
    const { alice1, bob1 } = people;
    const sent = [];
    for (let i = 0; i < 12; i++)
      sent.push(await alice1.encrypt([bob1], `n${i}`, { policy: i % 2 ? 'cipherMessage' : 'DRMessage' }));
    for (const message of sent) assert.equal(header(message.to(bob1), curve).hasInit, false);
    for (const i of [3, 0, 11, 5, 4, 10, 1, 2, 9, 8, 7, 6])
      assert.equal((await bob1.decrypt(alice1, sent[i])).text, `n${i}`);
    assert.equal((await bob1.decrypt(alice1, sent[4])).status, 'fail');
  });

  check('another addressee, another sender, a changed byte are refused and cost nothing', async () => {
    const { alice1, bob1, carol } = people;
    const message = await alice1.encrypt([bob1], 'precious');
    const changed = message.to(bob1).slice();
    changed[changed.length - 1] ^= 1;
    assert.equal((await bob1.decrypt(alice1, message.for(SOMEBODY_ELSE))).status, 'fail');
    assert.equal((await bob1.decrypt(carol, message)).status, 'fail');
    assert.equal((await bob1.decrypt(alice1, message.with(bob1, changed))).status, 'fail');
    assert.equal((await bob1.decrypt(alice1, message)).text, 'precious');
  });

  check('a cipherMessage for another addressee is refused, at the price of its message key', async () => {
    const { alice1, bob1 } = people;
    const message = await alice1.encrypt([bob1], 'precious', { policy: 'cipherMessage' });
    await assert.rejects(bob1.decrypt(alice1, message.for(SOMEBODY_ELSE)), /failed to decipher message itself/);
    assert.equal((await bob1.decrypt(alice1, message)).status, 'fail');
    const next = await alice1.encrypt([bob1], 'next', { policy: 'cipherMessage' });
    assert.equal((await bob1.decrypt(alice1, next)).text, 'next');
  });

  check('a recipient without keys fails alone', async () => {
    const { alice1, bob1 } = people;
    const ghost = { id: bob1.id.replace(/[^:]+$/, 'ghost') };
    const message = await alice1.encrypt([bob1, ghost], 'anyone?');
    assert.deepEqual(message.statuses, ['untrusted', 'fail']);
    assert.equal((await bob1.decrypt(alice1, message)).text, 'anyone?');
    await assert.rejects(alice1.encrypt([ghost], 'anyone?'), /bundle/);
  });

  check('one-time prekeys run out, then bundles come without', async () => {
    const seen = [];
    for (const number of [0, 1, 2, 3]) {
      const stranger = await device(`fresh${number}`);
      const message = await stranger.encrypt([people.bob2], 'hello');
      seen.push(header(message.to(people.bob2), curve).hasOneTimePrekey);
      assert.equal((await people.bob2.decrypt(stranger, message)).text, 'hello');
    }
    // It had three, and alice's first message took one.
    assert.deepEqual(seen, [true, true, false, false]);
  });

  check('trust: only the key that is known can be trusted, only that lifts unsafe', async () => {
    const { alice1, bob1, carol } = people;
    const set = (status, key) => alice1.setStatusOf(bob1, status, key);
    await assert.rejects(set('trusted', await carol.identityKey()));
    assert.equal(await set('trusted', await bob1.identityKey()), 'trusted');
    assert.deepEqual((await alice1.encrypt([bob1], 'x')).statuses, ['trusted']);
    assert.equal(await set('unsafe'), 'unsafe');
    assert.equal(await set('untrusted'), 'unsafe');
    assert.equal(await set('trusted', await bob1.identityKey()), 'trusted');
    assert.equal(await set('untrusted'), 'untrusted');
    assert.equal(await alice1.statusOf({ id: 'sip:unheard-of@example.org' }), 'unknown');
  });

  check('an update refills one-time prekeys, and only when they are few', async () => {
    const few = { opk_low_limit: 4, opk_batch: 2 };
    const first = await people.bob2.update(few);
    assert.deepEqual(kindsOf(first), ['07', '04']);
    assert.equal(first.http[0].response_hex.slice(CONTENT), '0000');
    const second = await people.bob2.update(few);
    assert.deepEqual(kindsOf(second), ['07']);
    assert.equal(second.http[0].response_hex.slice(CONTENT, CONTENT + 4), '0004');
    const stranger = await device('fresh9');
    const message = await stranger.encrypt([people.bob2], 'refilled');
    assert.equal(header(message.to(people.bob2), curve).hasOneTimePrekey, true);
    assert.equal((await people.bob2.decrypt(stranger, message)).text, 'refilled');
  });

  check('a signed prekey is renewed after seven days; the old one still opens messages', async () => {
    const { carol } = people;
    const early = await device('early');
    const message = await early.encrypt([carol], 'written with the old prekey');
    await carol.advance(8);
    const { http } = await carol.update({ opk_low_limit: 1, opk_batch: 1, force: false });
    const posted = http.find(({ request_hex }) => request_hex.slice(...KIND) === '03');
    assert.equal(posted.response_hex, posted.request_hex.slice(0, CONTENT));
    assert.equal((await carol.decrypt(early, message)).text, 'written with the old prekey');
    const late = await device('late');
    assert.equal((await carol.decrypt(late, await late.encrypt([carol], 'the new one'))).text, 'the new one');
  });

  check('a device that comes back with another identity key is refused until the old one is forgotten', async () => {
    const { alice1, alice2 } = people;
    await alice2.delete();
    if (site.knowsIdentities) return assert.rejects(device('alice2', { client: 'alice2 reborn' }), /X3DH server error/);
    const reborn = await device('alice2', { client: 'alice2 reborn' });
    const message = await reborn.encrypt([alice1], 'it is me');
    assert.equal((await alice1.decrypt(reborn, message)).status, 'fail');
    await alice1.staleSessionsWith(alice2);
    await assert.rejects(alice1.encrypt([reborn], 'who are you?'), /changed its Ik/);
    await alice1.forget(alice2);
    assert.equal((await alice1.decrypt(reborn, message)).text, 'it is me');
  });

  check('a registered id cannot be taken over', async () => {
    await assert.rejects(device('bob1', { client: 'thief' }), /X3DH server error/);
    const message = await people.carol.encrypt([people.bob1], 'still you?');
    assert.equal((await people.bob1.decrypt(people.carol, message)).text, 'still you?');
  });

  if (site.oneTimePrekeyLimit)
    check('the limit of one-time prekeys holds, at registration and later', async () => {
      const limit = site.oneTimePrekeyLimit;
      await assert.rejects(device('greedier', { oneTimePrekeys: limit + 1 }), /X3DH server error/);
      const greedy = await device('greedy', { oneTimePrekeys: limit });
      const { http } = await greedy.update({ opk_low_limit: limit + 1, opk_batch: 1 });
      assert.equal(http.at(-1).response_hex.slice(0, 8), `01ff0${CURVE_IDS[curve]}0a`);
    });

  check('a device that the server lost has no bundle, and republishes itself at the next update', async () => {
    const lost = await device('lost');
    const seeker = await device('seeker');
    const deleteUser = Uint8Array.of(1, 2, CURVE_IDS[curve]);
    assert.deepEqual(await lost.post(deleteUser), { status: 200, body: deleteUser });
    await assert.rejects(seeker.encrypt([lost], 'anyone?'), /bundle/);
    const update = await lost.update({ opk_low_limit: 2, opk_batch: 2 });
    assert.deepEqual(kindsOf(update), ['07', '09']);
    assert.equal(update.http[0].response_hex.slice(CONTENT, CONTENT + 2), '06');
    assert.equal((await lost.decrypt(seeker, await seeker.encrypt([lost], 'found'))).text, 'found');
  });

  check('devices delete themselves, and have no bundle after that', async () => {
    const { alice1, bob1, bob2, carol } = people;
    const stranger = await device('too-late');
    for (const each of [alice1, bob1, bob2, carol]) await each.delete();
    for (const each of [alice1, bob1, bob2, carol]) await assert.rejects(stranger.encrypt([each], 'anyone?'), /bundle/);
  });

  return checks;
}
