/** The state machine of docs/spec/client.md section 3, against a relay in the test's hands and a clock that stands still. */
import { describe, expect, it } from '@jest/globals';
import { closeCodeOf } from '@sealwire/wire/errors';
import { parseDeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import { FakeSockets } from '../testing/fake-sockets.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import type { AccessTokens } from './access-tokens.ts';
import { Connection } from './connection.ts';

const DEVICE = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');
const MINUTE = 60_000;

function setUp(login?: () => Promise<{ token: string; expiresAt: number }>) {
  const time = new FakeTime();
  const sockets = new FakeSockets();
  const seen: string[] = [];
  let logins = 0;
  const newToken = login ?? (async () => ({ token: `token ${++logins}`, expiresAt: time.ms + 15 * MINUTE }));
  let current: { token: string; expiresAt: number } | undefined;
  const renew = async () => {
    current = await newToken();
    return current;
  };
  const tokens = { current: async () => current ?? renew(), renew } as unknown as AccessTokens;
  const connection = new Connection({
    url: 'ws://relay',
    tokens,
    connectSocket: sockets.connect,
    timers: time,
    random: (length) => new Uint8Array(length).fill(255),
    online: () => seen.push('online'),
    received: (frame) => seen.push(frame.kind),
    offline: () => seen.push('offline'),
    stopped: (reason) => seen.push(`stopped: ${reason.code}`),
    trace: () => undefined,
  });
  return { time, sockets, connection, seen };
}

async function online(login?: Parameters<typeof setUp>[0]) {
  const all = setUp(login);
  const started = all.connection.start();
  await settle();
  all.sockets.newest.welcome(DEVICE, all.time.ms);
  await started;
  return all;
}

/** Lets a minute pass in which the relay speaks often enough. */
function setBeat(socket: FakeSockets['newest']) {
  return async (time: FakeTime) => {
    for (let part = 0; part < 3; part++) {
      await time.pass(MINUTE / 3);
      socket.say({ kind: 'pong', nonce: 1 });
    }
  };
}

describe('Connection', () => {
  it('says hello with its token and is online at the welcome', async () => {
    const { connection, sockets, seen } = await online();
    expect(sockets.newest.frames).toMatchObject([{ kind: 'hello', token: 'token 1', lane: 'both' }]);
    expect(connection.state).toBe('online');
    expect(seen).toEqual(['online']);
    await connection.start();
    expect(sockets.opened).toHaveLength(1);
  });

  it('L01: comes back after a lost link, with pauses that grow while it does not last', async () => {
    const { connection, sockets, time, seen } = await online();
    await time.pass(11_000);
    const pauses: number[] = [];
    for (let failure = 0; failure < 9; failure++) {
      sockets.newest.close({ code: 1006 });
      const from = time.ms;
      const before = sockets.opened.length;
      while (sockets.opened.length === before) await time.pass(100);
      pauses.push(time.ms - from);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000, 8_000]);
    expect(seen).toEqual(['online', 'offline']);
    sockets.newest.welcome(DEVICE, time.ms);
    expect(connection.state).toBe('online');
    await time.pass(10_000);
    sockets.newest.close({ code: closeCodeOf('draining') });
    await time.pass(500);
    expect(sockets.opened).toHaveLength(11);
  });

  it('L01: a link lasted if time passed, not if a clock was set; one that lasted has no long pause after it, though the clock was set back', async () => {
    const { connection, sockets, time } = await online();
    for (let failure = 0; failure < 5; failure++) {
      sockets.newest.close({ code: 1006 });
      await time.pass(8_000);
    }
    sockets.newest.welcome(DEVICE, time.ms);
    expect(connection.state).toBe('online');
    await time.pass(10_000);
    time.ahead = -3_600_000;
    sockets.newest.close({ code: closeCodeOf('draining') });
    const before = sockets.opened.length;
    await time.pass(500);
    expect(sockets.opened).toHaveLength(before + 1);
  });

  it('L02: a refused upgrade with Retry-After is obeyed', async () => {
    const { connection, sockets, time } = setUp();
    void connection.start();
    await settle();
    sockets.newest.close({ code: 1006, retryAfterMs: 30_000 });
    await time.pass(29_900);
    expect(sockets.opened).toHaveLength(1);
    await time.pass(700);
    expect(sockets.opened).toHaveLength(2);
  });

  it('L01: a terminal code ends it; nothing is tried again, whatever time passes', async () => {
    const { connection, sockets, time, seen } = await online();
    sockets.newest.close({ code: closeCodeOf('protocol-error') });
    await time.pass(60 * MINUTE);
    expect(sockets.opened).toHaveLength(1);
    expect(seen).toEqual(['online', 'offline', 'stopped: protocol-error']);
    await expect(connection.start()).rejects.toMatchObject({ code: 'protocol-error' });
    expect(time.pending).toBe(0);
  });

  it('L01: a device that was removed logs in once more, since a restored server may only have lost it; refused, it stops', async () => {
    const refused = new ClientError('login-refused', 'who is that?');
    let logins = 0;
    const { connection, sockets, time, seen } = await online(async () => {
      if (++logins > 1) throw refused;
      return { token: 'token 1', expiresAt: Number.MAX_SAFE_INTEGER };
    });
    sockets.newest.close({ code: closeCodeOf('device-removed') });
    await time.pass(60 * MINUTE);
    expect([logins, sockets.opened.length]).toEqual([2, 1]);
    expect(seen).toEqual(['online', 'offline', 'stopped: device-removed']);
    await expect(connection.start()).rejects.toMatchObject({ code: 'device-removed' });
    expect(time.pending).toBe(0);
  });

  it('L01: a relay that removes a device which may log in is believed the second time', async () => {
    const { sockets, time, seen } = await online();
    sockets.newest.close({ code: closeCodeOf('device-removed') });
    while (sockets.opened.length === 1) await time.pass(100);
    sockets.newest.close({ code: closeCodeOf('device-removed') });
    await time.pass(60 * MINUTE);
    expect(sockets.opened).toHaveLength(2);
    expect(seen).toEqual(['online', 'offline', 'stopped: device-removed']);
  });

  it('L01: an unknown terminal code of a newer server ends it, too', async () => {
    const { sockets, seen, time } = await online();
    sockets.newest.close({ code: 4444, reason: 'new reasons' });
    await time.pass(MINUTE);
    expect(seen.at(-1)).toBe('stopped: protocol-error');
  });

  it('a renewable code gets a new token, and never a hot loop', async () => {
    const { sockets, time } = await online();
    for (let round = 0; round < 5; round++) {
      sockets.newest.close({ code: closeCodeOf('token-refused') });
      const from = time.ms;
      while (sockets.opened.length === round + 1) await time.pass(100);
      expect(time.ms - from).toBe(500 * 2 ** round);
      sockets.newest.handlers.opened();
      expect(sockets.newest.frames).toMatchObject([{ token: `token ${round + 2}` }]);
    }
  });

  it('being replaced by a newer connection of the device is answered slowly', async () => {
    const { sockets, time } = await online();
    sockets.newest.close({ code: closeCodeOf('replaced') });
    await time.pass(15_000);
    expect(sockets.opened).toHaveLength(1);
    await time.pass(1_000);
    expect(sockets.opened).toHaveLength(2);
  });

  it('a login that cannot be made is tried again; one that is refused for good ends it', async () => {
    const answers = [new ClientError('unreachable', 'no'), new ClientError('login-refused', 'gone')];
    const { connection, time, seen } = setUp(async () => {
      throw answers.shift()!;
    });
    const started = connection.start();
    started.catch(() => undefined);
    await settle();
    expect(connection.state).toBe('connecting');
    await time.pass(500);
    expect(seen).toEqual(['stopped: login-refused']);
    await expect(started).rejects.toMatchObject({ code: 'login-refused' });
  });

  it('a relay that speaks before its welcome, or welcomes twice, is dropped: nothing of it reaches the client', async () => {
    const { connection, sockets, time, seen } = setUp();
    void connection.start();
    await settle();
    sockets.newest.handlers.opened();
    sockets.newest.say({ kind: 'error', code: 'unavailable', text: 'soon' });
    sockets.newest.say({ kind: 'caught-up', lastSeq: 0 });
    expect(sockets.newest.closedWith).toEqual(['dropped']);
    await time.pass(500);
    sockets.newest.welcome(DEVICE, time.ms);
    sockets.newest.welcome(DEVICE, time.ms);
    sockets.newest.welcome(DEVICE, time.ms);
    expect(sockets.newest.closedWith).toEqual(['dropped']);
    expect(seen).toEqual(['error', 'online', 'offline']);
  });

  it('a token whose life the relay says is endless is renewed after a day', async () => {
    const { connection, sockets, time } = setUp();
    void connection.start();
    await settle();
    sockets.newest.welcome(DEVICE, time.ms, 2 ** 45);
    const beat = setBeat(sockets.newest);
    for (let minutes = 0; minutes < 24 * 60; minutes++) await beat(time);
    expect(sockets.newest.frames.filter(({ kind }) => kind === 'renew')).toHaveLength(1);
  });

  it('L02: a link that is dropped because a server said "not now" is not made again sooner', async () => {
    const { connection, sockets, time } = await online();
    connection.drop('the directory is busy', 30_000);
    await time.pass(29_999);
    expect(sockets.opened).toHaveLength(1);
    await time.pass(10_000);
    expect(sockets.opened).toHaveLength(2);
  });

  it('no welcome within 15 s: the link is dropped and made again', async () => {
    const { connection, sockets, time } = setUp();
    void connection.start();
    await settle();
    sockets.newest.handlers.opened();
    await time.pass(15_000);
    expect(sockets.newest.closedWith).toEqual(['dropped']);
    await time.pass(1_000);
    expect(sockets.opened).toHaveLength(2);
  });

  it('A17: 25 s of silence are asked about; 8 more end the link', async () => {
    const { sockets, time, seen } = await online();
    const [socket] = sockets.opened as [(typeof sockets.opened)[0]];
    await time.pass(20_000);
    socket.say({ kind: 'caught-up', lastSeq: 0 });
    await time.pass(25_000);
    expect(socket.frames.map(({ kind }) => kind)).toEqual(['hello']);
    await time.pass(5_000);
    expect(socket.frames.map(({ kind }) => kind)).toEqual(['hello', 'ping']);
    socket.say({ kind: 'pong', nonce: 1 });
    await time.pass(8_000 + 24_000);
    expect(socket.closedWith).toEqual([]);
    await time.pass(1_000 + 8_000);
    expect(socket.closedWith).toEqual(['dropped']);
    expect(seen).toEqual(['online', 'caught-up', 'pong', 'offline']);
  });

  it('I05: the token is renewed in band two minutes before its end', async () => {
    const { sockets, time } = await online();
    const keepAlive = async (ms: number) => {
      for (let left = ms; left > 0; left -= 10_000) {
        await time.pass(Math.min(left, 10_000));
        sockets.newest.say({ kind: 'pong', nonce: 1 });
      }
    };
    await keepAlive(13 * MINUTE - 10);
    expect(sockets.newest.frames.filter(({ kind }) => kind === 'renew')).toEqual([]);
    await keepAlive(10);
    expect(sockets.newest.frames.filter(({ kind }) => kind === 'renew')).toEqual([{ kind: 'renew', token: 'token 2' }]);
    sockets.newest.say({ kind: 'renewed', expiresAt: time.ms + 15 * MINUTE });
    await keepAlive(13 * MINUTE);
    expect(sockets.newest.frames.filter(({ kind }) => kind === 'renew')).toHaveLength(2);
    expect(sockets.opened).toHaveLength(1);
  });

  it('H15: a frame of a newer version is skipped; what is no frame ends the link', async () => {
    const { sockets, seen } = await online();
    // Field 99, length-delimited, empty: a frame that this version does not know.
    sockets.newest.handlers.received(Uint8Array.of(0x9a, 0x06, 0x00));
    expect(sockets.newest.closedWith).toEqual([]);
    sockets.newest.handlers.received(Uint8Array.of(0xff, 0xff, 0xff));
    expect(sockets.newest.closedWith).toEqual(['dropped']);
    expect(seen).toEqual(['online', 'offline']);
  });

  it('closing or failing is told as that, and not as a lost link', async () => {
    for (const end of ['close', 'fail'] as const) {
      const { connection } = await online();
      const states: string[] = [];
      connection.onState((state) => states.push(state));
      if (end === 'close') await connection.close();
      else connection.fail(new ClientError('closed', 'enough'));
      await settle();
      expect(states).toEqual(['stopped']);
    }
  });

  it('closing leaves no timer and no way back', async () => {
    const { connection, sockets, time } = await online();
    await connection.close();
    expect(sockets.newest.closedWith).toEqual([1000]);
    expect(time.pending).toBe(0);
    await expect(connection.start()).rejects.toMatchObject({ code: 'closed' });
  });
});
