import { beforeEach, describe, expect, it } from '@jest/globals';
import { fastifyOptions } from '../nest/hardening.ts';
import { createLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { failureProblem } from './failure.ts';
import { Problem } from './problem.ts';

const lines: string[] = [];
let notes: { log: ReturnType<typeof createLog>; metrics: ReturnType<typeof createMetrics> };
beforeEach(() => {
  lines.length = 0;
  const log = createLog({ server: 'test', level: 'debug', now: () => 0, write: (line) => lines.push(line) });
  notes = { log, metrics: createMetrics() };
});

const noted = () => lines.map((line) => JSON.parse(line));

describe('H16: an error that no code expected is logged with its cause, and counted', () => {
  it('a thrown one, and one that was wrapped', async () => {
    const cause = Object.assign(new RangeError('hunter2'), { code: 'ERR_OF_A_DRIVER' });
    expect(failureProblem(cause, notes, 'http').status).toBe(500);
    expect(failureProblem(new Problem('internal', {}, { cause }), notes, 'http', { route: '/lime' }).status).toBe(500);
    expect(noted()).toMatchObject([
      { level: 'error', event: 'request-failed', error: { name: 'RangeError', code: 'ERR_OF_A_DRIVER' } },
      { event: 'request-failed', route: '/lime', error: { cause: { name: 'RangeError', code: 'ERR_OF_A_DRIVER' } } },
    ]);
    expect(lines.join('')).not.toContain('hunter2');
    expect(await notes.metrics.text()).toContain('sealwire_unhandled_errors_total{where="http"} 2');
  });

  it('one of the router, which comes before any filter', async () => {
    let answered = 0;
    const reply = {
      code(status: number) {
        answered = status;
        return reply;
      },
      headers: () => reply,
      send() {},
    };
    fastifyOptions(notes).frameworkErrors(new Error('of no kind that we know'), undefined, reply);
    expect(answered).toBe(500);
    expect(noted()).toMatchObject([{ event: 'request-failed', error: { name: 'Error' } }]);
    expect(await notes.metrics.text()).toContain('sealwire_unhandled_errors_total{where="http"} 1');
  });

  it('one that was expected is neither; what a store refused is a line all the same', async () => {
    expect(failureProblem(new Problem('not-found'), notes, 'http').status).toBe(404);
    expect(failureProblem(new Problem('unavailable'), notes, 'http').status).toBe(503);
    expect(lines).toEqual([]);
    const gone = Object.assign(new Error('x'), { kind: 'unavailable' });
    expect(failureProblem(gone, notes, 'http', { method: 'POST', route: '/v1/accounts' }).status).toBe(503);
    expect(noted()).toMatchObject([
      { level: 'warn', event: 'request-refused', code: 'unavailable', method: 'POST', route: '/v1/accounts' },
    ]);
    expect(await notes.metrics.text()).not.toMatch(/sealwire_unhandled_errors_total\{.* [1-9]/);
  });
});
