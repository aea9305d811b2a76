/** Readiness and clocks (docs/operations/clocks.md); what the four pages say is tested with the servers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, it } from '@jest/globals';
import { createHealth } from './health.ts';
import { silentLog } from './log.ts';
import { createMetrics } from './metrics.ts';

function setUp() {
  const clock = { now: 1_800_000_000_000 };
  const state = { probes: 0, isReady: false };
  const health = createHealth({
    server: 'test',
    version: '1',
    async ready() {
      state.probes++;
      if (!state.isReady) throw new Error('not now');
    },
    metrics: createMetrics(),
    log: silentLog,
    now: () => clock.now,
  });
  const statusOfReadyz = () =>
    new Promise<number>((resolve) => {
      const response = { writeHead: (status: number) => resolve(status), end: () => {} };
      health.handle({ method: 'GET' } as IncomingMessage, response as unknown as ServerResponse, '/readyz');
    });
  return { clock, state, statusOfReadyz };
}

it('the store is asked once a second at most, however often readiness is', async () => {
  const { clock, state, statusOfReadyz } = setUp();
  expect([await statusOfReadyz(), await statusOfReadyz()]).toEqual([503, 503]);
  expect(state.probes).toBe(1);
  clock.now += 1_000;
  await statusOfReadyz();
  expect(state.probes).toBe(2);
});

it.each([
  ['an hour', 3_600_000],
  ['ten years', 3_652 * 86_400_000],
])('what was found while the clock was %s ahead is not the answer for as long', async (_, ms) => {
  const { clock, state, statusOfReadyz } = setUp();
  clock.now += ms;
  expect(await statusOfReadyz()).toBe(503);
  clock.now -= ms;
  state.isReady = true;
  expect(await statusOfReadyz()).toBe(200);
});
