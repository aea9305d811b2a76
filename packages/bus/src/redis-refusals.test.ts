/**
 * What real servers refuse: a line with the fix at the start, or the reason while it runs. On a Redis of the test's own, and on
 * `REDIS_SENTINEL_URL` and `REDIS_CLUSTER_URL`; what is missing is skipped, aloud.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openBus, openCounters } from './open.ts';
import { parseRedisUrl } from './redis-url.ts';
import { hasRedis, type OwnRedis, startRedis, startSentinel } from './testing/own-redis.ts';

jest.setTimeout(30_000);

const now = () => 0;

/** What the client library prints by itself: before the first connection, since that is where it is quieted. */
const printed: string[] = [];
console.warn = (...said: unknown[]) => void printed.push(said.join(' '));

async function busRefusal(url: string): Promise<string> {
  return refusal(openBus(url));
}

async function refusal(opened: Promise<{ close(): Promise<void> }>): Promise<string> {
  const error = await opened.then(
    (port) => port.close().then(() => new Error('it was opened')),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'BusError' });
  expect((error as Error).message).not.toMatch(/\n|secret|odd/);
  return (error as Error).message;
}

(hasRedis ? describe : describe.skip)('a Redis that refuses (skipped without redis-server)', () => {
  let redis: OwnRedis;
  let replica: OwnRedis;

  beforeAll(async () => {
    redis = await startRedis();
    replica = await startRedis('--replicaof', ...redis.host.split(':'));
    await redis.admin.call('ACL', 'SETUSER', ...aclLine());
    const all = ['on', '>secret', 'allkeys', 'allchannels', '+@all'];
    const rules = {
      mute: ['-publish'],
      deaf: ['-subscribe'],
      blind: ['-info'],
      elsewhere: ['resetchannels', '&other.*'],
      nokeys: ['resetkeys', '~other:*'],
      noscripts: ['-@scripting'],
    };
    for (const [name, less] of Object.entries(rules)) await redis.admin.call('ACL', 'SETUSER', name, ...all, ...less);
  });
  afterAll(async () => {
    await replica?.stop();
    await redis?.stop();
  });

  /** The user that docs/operations/scaling.md has an operator make. */
  function aclLine(): string[] {
    const page = readFileSync(new URL('../../../docs/operations/scaling.md', import.meta.url), 'utf8');
    const [, line] = /ACL SETUSER ([^`]*)/.exec(page)!;
    return line!.replace('PASSWORD', 'secret').split(' ');
  }

  it('K14: does all for the user of the documents', async () => {
    const url = `redis://sealwire:secret@${redis.host}`;
    const bus = await openBus(url);
    const heard = new Promise((resolve) => void bus.subscribe('sealwire.node.a', resolve));
    await bus.publish('sealwire.check', Uint8Array.of(1));
    await bus.subscribe('sealwire.nodes', () => {});
    await bus.publish('sealwire.node.a', Uint8Array.of(2));
    expect(await heard).toEqual(Uint8Array.of(2));
    await bus.close();
    const states: string[] = [];
    const counters = await openCounters(url, { now, onShared: (state) => states.push(state) });
    const charges = [{ counter: 'c', key: 'k', points: 1, limit: 2, windowMs: 60_000 }];
    await counters.take('x', charges);
    await counters.giveBack('x', charges);
    expect((await counters.look('x', charges)).standings[0]!.taken).toBe(0);
    expect(states).toEqual([]);
    await counters.close();
  });

  it.each(['mute', 'deaf', 'blind', 'elsewhere'])('K14: a user that is %s is told what it lacks', async (user) => {
    expect(await busRefusal(`redis://${user}:secret@${redis.host}`)).toContain(
      'lacks a right; docs/operations/scaling.md',
    );
  });

  it('K14: a user that may not ask INFO is told so once, and nothing is printed beside it', async () => {
    printed.length = 0;
    await busRefusal(`redis://blind:secret@${redis.host}`);
    console.warn('another line');
    expect(printed).toEqual(['another line']);
  });

  it.each(['nokeys', 'noscripts'])(
    'K14: a user with %s does not let limiters count alone from the start',
    async (user) => {
      const opened = openCounters(`redis://${user}:secret@${redis.host}`, { now });
      expect(await refusal(opened)).toContain('lacks a right');
    },
  );

  it.each(['nobody:secret@', 'mute:odd@', ':odd@'])(
    'K14: a user or a password that it does not know: %s',
    async (who) => {
      await redis.admin.config('SET', 'requirepass', 'secret');
      try {
        expect(await busRefusal(`redis://${who}${redis.host}`)).toContain('it asks for another password');
      } finally {
        await redis.admin.config('SET', 'requirepass', '');
      }
    },
  );

  it('K14: that demands a password, and is given none', async () => {
    await redis.admin.config('SET', 'requirepass', 'secret');
    try {
      for (const scheme of ['redis', 'redis+cluster', 'redis+sentinel'] as const) {
        const url = `${scheme}://${redis.host}${scheme === 'redis+sentinel' ? '/main' : ''}`;
        expect(await busRefusal(url)).toContain('it asks for another password; write redis://:PASSWORD@HOST');
      }
    } finally {
      await redis.admin.config('SET', 'requirepass', '');
    }
  });

  it.each([
    ['redis', '/99', 'no database of that number'],
    ['redis+cluster', '', 'is not part of a cluster; write redis://HOST:PORT'],
    ['redis+sentinel', '/main', 'that is no sentinel; write redis://HOST:PORT'],
    ['rediss', '', 'write redis instead of rediss'],
  ])('K14: a URL that says %s://…%s of a single server', async (scheme, path, problem) => {
    expect(await busRefusal(`${scheme}://${redis.host}${path}`)).toContain(problem);
  });

  it('K14: a replica, where nobody else would hear what is published', async () => {
    expect(await busRefusal(`redis://${replica.host}`)).toContain('it is a replica; name the primary');
  });

  it('K14: while it runs, a password that was changed is told as the reason of the loss; and that it is restored', async () => {
    const told: unknown[][] = [];
    let wake = () => {};
    const bus = await openBus(`redis://${redis.host}`, {
      onConnection: (...news) => {
        told.push(news);
        wake();
      },
    });
    const until = async (count: number) => {
      while (told.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    await redis.admin.config('SET', 'requirepass', 'secret');
    await redis.admin.call('CLIENT', 'KILL', 'SKIPME', 'yes', 'TYPE', 'normal');
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(2);
    await redis.admin.config('SET', 'requirepass', '');
    await until(3);
    expect(told).toEqual([['lost'], ['lost', expect.stringContaining('it asks for another password')], ['restored']]);
    await bus.close();
  });
});

(hasRedis ? describe : describe.skip)('sentinels with a password (skipped without redis-server)', () => {
  let redis: OwnRedis;
  let own: OwnRedis;
  let open: OwnRedis;

  beforeAll(async () => {
    redis = await startRedis('--requirepass', 'secret');
    own = await startSentinel(redis.port, 'secret', 'secret');
    open = await startSentinel(redis.port, 'secret');
  });
  afterAll(async () => {
    await open?.stop();
    await own?.stop();
    await redis?.stop();
  });

  it('K14: that ask for one are given that of the URL, and lead to the primary', async () => {
    const url = `redis+sentinel://:secret@${own.host}/main`;
    const bus = await openBus(url);
    const heard = new Promise((resolve) => void bus.subscribe('sealwire.a', resolve));
    await bus.subscribe('sealwire.a', () => {});
    await bus.publish('sealwire.a', Uint8Array.of(1));
    expect(await heard).toEqual(Uint8Array.of(1));
    await bus.close();
    await (await openCounters(url, { now })).close();
  });

  it('K14: that ask for another one, or are given none', async () => {
    for (const who of ['', ':odd@'])
      expect(await busRefusal(`redis+sentinel://${who}${own.host}/main`)).toContain('it asks for another password');
  });

  it('K14: that ask for none are given none, while their primary is given its own', async () => {
    printed.length = 0;
    await (await openBus(`redis+sentinel://default:secret@${open.host}/main`)).close();
    expect(printed).toEqual([]);
  });
});

const sentinel = process.env.REDIS_SENTINEL_URL;
const cluster = process.env.REDIS_CLUSTER_URL;
const firstOf = (url: string) => parseRedisUrl(url).hosts.map(({ host, port }) => `${host}:${port}`)[0]!;

(sentinel === undefined ? describe.skip : describe)('sentinels (REDIS_SENTINEL_URL)', () => {
  it('K14: that know no primary of the name', async () => {
    expect(await busRefusal(`redis+sentinel://${firstOf(sentinel!)}/nobody`)).toContain('know no primary of that name');
  });

  it('K14: that do not speak TLS, when the URL says that they do: never in plain text instead', async () => {
    expect(await busRefusal(sentinel!.replace('redis+', 'rediss+'))).toContain('write redis instead of rediss');
  });

  it('K14: that a URL takes for a server', async () => {
    expect(await busRefusal(`redis://${firstOf(sentinel!)}`)).toContain('that is a sentinel; write redis+sentinel://');
  });
});

(cluster === undefined ? describe.skip : describe)('a cluster (REDIS_CLUSTER_URL)', () => {
  it('K14: that a URL takes for one server', async () => {
    expect(await busRefusal(`redis://${firstOf(cluster!)}`)).toContain('part of a cluster; write redis+cluster://');
  });
});
