/** What an operator reads whose URL or server will not do: one line with the fix, and never the password. */
import { describe, expect, it } from '@jest/globals';
import { openMongoStore } from '../mongo.ts';
import { testDatabase } from '../testing/mongo-database.ts';
import { PRIMARY, type ScriptedMongod, scriptedMongod } from '../testing/scripted-mongod.ts';
import { helloFault, parseUrl } from './server-check.ts';

const REPLICA_SET = { maxWireVersion: 21, setName: 'rs0', isWritablePrimary: true };

describe('the URL of a MongoDB store', () => {
  it.each([
    ['mongodb://h/d?fooBar=1', 'option foobar is not supported'],
    ['mongodb://h/', 'names no database'],
    ['mongodb://u:secret@h/admin', 'names a database of the server’s own'],
    ['mongodb://u:secret@h/my.db', 'or one that cannot be'],
    ['mongodb://u:secret@h/my%20db', 'or one that cannot be'],
    [`mongodb://h/${'x'.repeat(64)}`, 'or one that cannot be'],
    ['mongodb://u:secret@x/y@h/d', '@ as %40'],
    ['mongodb://u:secret/x@h/d', '/ as %2F'],
    ['mongodb://u:secret@x@h/d', '@ as %40'],
    ['mongodb://u:secret:x@h/d', 'written as %XX'],
    ['mongodb://u:secret%@h/d', 'written as %XX'],
    ['mongodb://h/d?w=1', 'sets w; leave it out'],
    ['mongodb://h/d?w=0', 'acknowledged by a majority'],
    ['mongodb://h/d?journal=false', 'sets journal; leave it out'],
    ['mongodb://h/d?wtimeoutMS=10', 'sets wtimeoutMS; leave it out'],
    ['mongodb://h/d?readPreference=secondary', 'sets readPreference; leave it out'],
    ['mongodb://h/d?readConcernLevel=local', 'sets readConcernLevel; leave it out'],
  ])('K14: %s is refused with the fix, without the password', (url, words) => {
    const refusal = expect(() => parseUrl(url, true));
    refusal.toThrow(words);
    refusal.not.toThrow(/secret|\n/);
  });

  it('K14: what is as strong as the store asks for is no mistake', () => {
    parseUrl(
      'mongodb://u:p%40s%2Fs%25%3A@h:1,i/d?retryWrites=true&w=majority&journal=true&readPreference=primary',
      true,
    );
    parseUrl('mongodb://h/d?w=1', false);
  });
});

describe('a MongoDB server', () => {
  it.each([
    [{ ...REPLICA_SET, setName: undefined }, 'make it a replica set'],
    [{ ...REPLICA_SET, isWritablePrimary: false }, 'not the primary'],
    [{ ...REPLICA_SET, maxWireVersion: 13 }, 'older protocol'],
    [{ ...REPLICA_SET, maxWireVersion: undefined }, 'older protocol'],
  ])('K14: %j is refused in production', (hello, words) => {
    expect(helloFault(hello, true)).toContain(words);
  });

  it('K14: a replica set and a sharded cluster will do; a stand-alone server outside production', () => {
    expect(helloFault(REPLICA_SET, true)).toBeUndefined();
    expect(helloFault({ maxWireVersion: 21, msg: 'isdbgrid', isWritablePrimary: true }, true)).toBeUndefined();
    expect(helloFault({ maxWireVersion: 21, isWritablePrimary: true }, false)).toBeUndefined();
  });

  it('K14: one that does not answer is named with the fix', async () => {
    const opening = openMongoStore({ url: 'mongodb://u:secret@127.0.0.1:1/d', production: true, patienceMs: 200 });
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect((error as Error).message).toMatch(/^no database answers at 127.0.0.1:1 .*see that it runs there/);
    expect((error as Error).message).not.toMatch(/secret|\n/);
  });
});

describe('a server as a real mongod would answer', () => {
  const USER = 'u:s%2Fe%40c%25r%3At';

  async function refusal(hello: object, script: (mongod: ScriptedMongod) => void = () => {}): Promise<string> {
    const mongod = await scriptedMongod({ ...PRIMARY, ...hello });
    script(mongod);
    const opening = openMongoStore({ url: mongod.url, production: true, patienceMs: 1_000 });
    const error = await opening.catch((reason: unknown) => reason);
    await mongod.close();
    expect(error).toMatchObject({ name: 'StoreError' });
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }

  it('K14: a stand-alone one, a secondary, and one too old are refused at start', async () => {
    expect(await refusal({ setName: undefined })).toContain('make it a replica set');
    expect(await refusal({ isWritablePrimary: false, secondary: true })).toContain('not the primary');
    expect(await refusal({ maxWireVersion: 13 })).toContain('older protocol');
  });

  it('K14: whose user may not read says the role that is missing', async () => {
    const answer = { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'not authorized on d to execute command' };
    expect(await refusal({}, (mongod) => mongod.answer('find', answer))).toContain('give it the role readWrite');
  });

  it('K14: a host that only mongodb+srv could find, and a file that is not there, are told as that', async () => {
    const failing = (url: string) =>
      openMongoStore({ url, production: true, patienceMs: 200 }).catch((reason: Error) => reason.message);
    expect(await failing(`mongodb+srv://${USER}@nowhere.invalid/d`)).toContain('not known to mongodb+srv');
    expect(await failing(`mongodb://${USER}@127.0.0.1:1/d?tls=true&tlsCAFile=/nowhere`)).toContain('cannot be read');
  });
});

const url = testDatabase('check');

(url === undefined ? describe.skip : describe)('a real MongoDB server (skipped without MONGODB_URI)', () => {
  const withOption = (option: string) => `${url}${url?.includes('?') ? '&' : '?'}${option}`;

  async function refusal(wrong: string): Promise<string> {
    const opening = openMongoStore({ url: wrong, production: true, patienceMs: 500 });
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    return (error as Error).message;
  }

  it('K14: of another replica set than the URL names is refused by that name', async () => {
    expect(await refusal(withOption('replicaSet=elsewhere'))).toContain('replica set elsewhere');
  });

  it('K14: that refuses the password is no outage', async () => {
    const user = `nobody:${encodeURIComponent('s/e@c%r:t')}@`;
    const message = await refusal(url!.replace(/:\/\/([^@/]*@)?/, `://${user}`));
    expect(message).toContain('refuses the user or the password');
    expect(message).not.toContain('s/e');
  });

  it('K14: without the load balancer that the URL names is refused', async () => {
    expect(await refusal(withOption('loadBalanced=true'))).toContain('loadBalanced');
  });
});
