import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LogFields } from '@sealwire/service/log';
import { createMetrics, type Metrics } from '@sealwire/service/metrics';
import { LIMITS } from '@sealwire/wire/limits';
import { DEFAULT_SETTINGS } from '../settings.ts';
import { Peers } from './peers.ts';

const SKEW = LIMITS.clockSkewMs.value;

describe('what nodes find out about each other', () => {
  let time: number;
  let lines: [string, LogFields | undefined][];
  let metrics: Metrics;

  beforeEach(() => {
    time = 1_800_000_000_000;
    lines = [];
    metrics = createMetrics();
  });

  function peers(node: string, run: number, aheadMs = 0): Peers {
    const line = (event: string, fields?: LogFields) => void lines.push([event, fields]);
    const log = { debug: line, info: line, warn: line, error: line };
    const now = () => time + aheadMs;
    return new Peers(node, new Uint8Array(8).fill(run), DEFAULT_SETTINGS, now, metrics, log);
  }

  const faults = async () =>
    (await metrics.text()).split('\n').filter((line) => /^sealwire_relay_node_faults_total{.* [1-9]/.test(line));

  it('K14: of two with one name the later one is not ready, and both say so once', async () => {
    const older = peers('a', 2);
    time += 10;
    const later = peers('a', 1);
    expect([older.hear(later.here()), later.hear(older.here())]).toEqual([true, true]);
    expect([older.hear(later.here()), later.hear(older.here())]).toEqual([false, false]);
    expect([older.isLaterTwin(), later.isLaterTwin()]).toEqual([false, true]);
    expect(lines).toEqual([
      ['node-name-taken', expect.objectContaining({ node: 'a', setting: 'NODE_ID' })],
      ['node-name-taken', expect.objectContaining({ node: 'a', setting: 'NODE_ID' })],
    ]);
    expect(await faults()).toEqual(['sealwire_relay_node_faults_total{fault="same-name"} 2']);
  });

  it('of two that started at once one is the later', () => {
    const [one, other] = [peers('a', 1), peers('a', 2)];
    one.hear(other.here());
    other.hear(one.here());
    expect([one.isLaterTwin(), other.isLaterTwin()]).toEqual([false, true]);
  });

  it('is ready again when the other one has gone, and hears itself without a word', () => {
    const older = peers('a', 2);
    time += 10;
    const later = peers('a', 1);
    later.hear(older.here());
    later.hear(later.here());
    expect(later.isLaterTwin()).toBe(true);
    time += 3 * DEFAULT_SETTINGS.probeEveryMs + 1;
    expect(later.isLaterTwin()).toBe(false);
    expect(lines).toHaveLength(1);
  });

  it('I06: clocks that are apart are told once, and again after they were right', async () => {
    const here = peers('a', 1);
    const ahead = peers('b', 2, SKEW + 1);
    for (let n = 0; n < 3; n++) here.hear(ahead.here());
    expect(lines).toEqual([['node-clock-apart', expect.objectContaining({ node: 'b', durationMs: SKEW + 1 })]]);
    here.hear(peers('b', 2, SKEW).here());
    here.hear(peers('b', 2, -SKEW - 1).here());
    expect(lines).toHaveLength(2);
    expect(await faults()).toEqual(['sealwire_relay_node_faults_total{fault="clock-apart"} 2']);
  });
});
