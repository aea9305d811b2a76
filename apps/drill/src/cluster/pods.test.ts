/** The life of a pod: nobody is sent to a process that is not ready, or that has been told to end. */
import { expect, it } from '@jest/globals';
import type { Routes } from './front.ts';
import { replacePod } from './pods.ts';
import type { Succession } from './server-process.ts';

it('the new one is in the front before the old one goes, and the old one is out of it before it is told to end', async () => {
  const story: string[] = [];
  const waited = { ms: 0 };
  const relay = {
    port: 1,
    async giveWayTo({ port, environment, bothServe, graceMs }: Succession) {
      expect(environment).toEqual({ NODE_ID: 'relay-pod-1', LISTEN: `127.0.0.1:${port}` });
      this.port = port;
      story.push('ready');
      await bothServe();
      story.push(`SIGTERM, ${graceMs > 10_000}`);
    },
  };
  const routes = (): Routes => ({ api: [3], directory: [4], relay: [relay.port, 2] });
  const named = (port: number) => (port === relay.port ? 'new' : port === 1 ? 'old' : 'other');
  await replacePod({
    server: relay,
    routes,
    environment: { NODE_ID: 'relay-pod-1' },
    front: { route: ({ api, directory, relay }) => story.push(`${api} ${directory} ${relay.map(named).sort()}`) },
    pause: async (ms) => {
      waited.ms += ms;
      story.push('a while');
    },
  });
  expect(story).toEqual([
    'ready',
    '3 4 new,old,other',
    'a while',
    'a while',
    '3 4 new,other',
    'a while',
    'SIGTERM, true',
  ]);
  expect(waited.ms).toBeGreaterThan(3_000);
});
