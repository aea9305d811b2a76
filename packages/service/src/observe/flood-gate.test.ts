/** Floods of the log: what is written of them, and what is told of the rest. */
import { describe, expect, it } from '@jest/globals';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';

function flooded(linesPerEvent: number) {
  const clock = { now: 1_800_000_000_000 };
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics();
  const log = createLog({
    server: 'test',
    level: 'info',
    now: () => clock.now,
    linesPerEvent,
    metrics,
    write: (line) => lines.push(JSON.parse(line)),
  });
  const eventsOf = () => lines.map(({ event, reason, count }) => ({ event, reason, count }));
  return { clock, lines, log, metrics, eventsOf };
}

describe('T205: a flood of one event', () => {
  it('T205: is written up to the limit, and then as one line with a count', () => {
    const { clock, log, eventsOf } = flooded(3);
    for (let i = 0; i < 1_000; i++) log.warn('request-refused', { code: 'unavailable' });
    clock.now += 10_000;
    log.warn('request-refused', { code: 'unavailable' });
    const written = { event: 'request-refused', reason: undefined, count: undefined };
    const told = { event: 'lines-left-out', reason: 'request-refused', count: 997 };
    expect(eventsOf()).toEqual([written, written, written, told, written]);
  });

  it('keeps no other event out', () => {
    const { log, eventsOf } = flooded(1);
    for (let i = 0; i < 100; i++) log.warn('append-unknown');
    log.error('store-full');
    expect(eventsOf().map(({ event }) => event)).toEqual(['append-unknown', 'store-full']);
  });

  it('is told of though nothing is logged after it, and once', () => {
    const { log, eventsOf } = flooded(1);
    for (let i = 0; i < 5; i++) log.warn('append-unknown');
    log.tellLeftOut();
    log.tellLeftOut();
    expect(eventsOf()[1]).toEqual({ event: 'lines-left-out', reason: 'append-unknown', count: 4 });
    expect(eventsOf()).toHaveLength(2);
  });

  it('is counted in the metrics with what was left out of it', async () => {
    const { log, metrics } = flooded(2);
    for (let i = 0; i < 10; i++) log.warn('append-unknown');
    const text = await metrics.text();
    expect(text).toContain('sealwire_log_lines_total{level="warn"} 10');
    expect(text).toContain('sealwire_log_lines_left_out_total 8');
  });

  it('ends when the clock is put back', () => {
    const { clock, log, eventsOf } = flooded(1);
    log.warn('append-unknown');
    clock.now -= 3_600_000;
    log.warn('append-unknown');
    expect(eventsOf()).toHaveLength(2);
  });

  it('has no limit where none is set', () => {
    const { log, lines } = flooded(0);
    for (let i = 0; i < 500; i++) log.info('mail-expired');
    expect(lines).toHaveLength(500);
  });

  it('of ever new names is bounded too: those beyond a thousand share one budget', () => {
    const { log, lines } = flooded(1);
    for (let i = 0; i < 3_000; i++) log.warn(`event ${i}`);
    expect(lines).toHaveLength(1_001);
  });
});
