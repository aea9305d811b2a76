/**
 * What LIME's own tests ask of a key server besides the protocol: a URL without a path, device ids that are no GRUU, a number of bundles
 * in a period that is over soon, domains with capitals. The directory is set up for them as its operator would.
 */
import { describe, expect } from '@jest/globals';
import { systemRandom } from '@sealwire/crypto/random';
import type { Site } from '../../../../interop/lime-peer/checks.mjs';
import { Device, header } from '../../../../interop/lime-peer/device.mjs';
import { type KeyDirectory, startKeyDirectory } from './key-directory.ts';
import { startPair } from './pair.ts';
import type { Suite } from './suite.ts';
import type { World } from './world.ts';

const AT_THE_ROOT = { OPEN_MODE: 'on', LIME_PATH: '/' } as const;
/** Of LIME's test servers. */
const BUNDLES = 5;
const PERIOD_SECONDS = 20;

/** Where liblime's own HTTP goes, without credentials. */
export function openSite({ peer, folder }: World, url: string, ids: Pick<Site, 'domain' | 'bareIds'>): Site {
  return {
    ...ids,
    peer,
    folder,
    url,
    run: Buffer.from(systemRandom(4)).toString('hex'),
    oneTimePrekeyLimit: 0,
    knowsIdentities: false,
    register: (command) => peer.must({ ...command, http: 'curl' }),
  };
}

export function upstream({ curve, world, it }: Suite): void {
  describe('as LIME’s own tests ask', () => {
    /** Alice writes to bob as to a stranger, as often as a test server lets her; then once more. */
    async function exhaust(settings: Parameters<typeof startKeyDirectory>[0]) {
      const directory = await startKeyDirectory({ ...AT_THE_ROOT, BUNDLES_PER_PAIR: BUNDLES, ...settings });
      const site = openSite(world(), directory.url, { domain: 'example.org', bareIds: true });
      const [alice, bob] = [await Device.register(site, curve, 'alice1'), await makeBob(site)];
      const write = async () => {
        const message = await alice.encrypt([bob], 'hello stranger');
        expect((await bob.decrypt(alice, message)).text).toBe('hello stranger');
        await alice.forget(bob);
        return header(message.to(bob), curve).hasOneTimePrekey;
      };
      for (let i = 0; i < BUNDLES; i++) expect(await write()).toBe(true);
      return { directory, write };
    }
    const makeBob = (site: Site) => Device.register(site, curve, 'bob1', { oneTimePrekeys: 10 });

    it('so many bundles, then none, and again when the period is over', async () => {
      const { directory, write } = await exhaust({
        BUNDLES_PER_PAIR_SECONDS: PERIOD_SECONDS,
        BUNDLE_LIMITS_WITHHOLD: 'bundle',
      });
      await expect(write()).rejects.toThrow(/bundle/);
      directory.advance(PERIOD_SECONDS * 1000);
      expect(await write()).toBe(true);
      await directory.close();
    });

    it('so many bundles with a one-time prekey, then bundles without', async () => {
      const { directory, write } = await exhaust({});
      expect([await write(), await write()]).toEqual([false, false]);
      await directory.close();
    });

    it('people of two domains whose names have capitals', async () => {
      const [here, there] = await startPair(['domaina', 'domainb'], AT_THE_ROOT);
      const siteOf = ({ url }: KeyDirectory, domain: string) => openSite(world(), url, { domain });
      const alice = await Device.register(siteOf(here, 'domainA'), curve, 'alice1');
      const dave = await Device.register(siteOf(here, 'domainA'), curve, 'dave1');
      const bob = await Device.register(siteOf(there, 'domainB'), curve, 'bob1');
      const message = await alice.encrypt([dave, bob], 'everybody');
      for (const each of [dave, bob]) {
        expect(header(message.to(each), curve).hasOneTimePrekey).toBe(true);
        expect(await each.decrypt(alice, message)).toEqual({ status: 'unknown', text: 'everybody' });
      }
      const answer = await bob.encrypt([alice], 'and back');
      expect((await alice.decrypt(bob, answer)).text).toBe('and back');
      await Promise.all([here.close(), there.close()]);
    });
  });
}
