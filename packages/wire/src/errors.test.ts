import { describe, expect, it } from '@jest/globals';
import { CLOSE_CODES, closeAction, closeCodeOf, ERRORS } from './errors.ts';

describe('close codes', () => {
  it('L01: the range decides what a client does, also for a code that it does not know', () => {
    const expected = [
      [4000, 4099, 'reconnect'],
      [4100, 4199, 'renew'],
      [4400, 4499, 'stop'],
    ] as const;
    for (const [first, last, action] of expected)
      for (let code = first; code <= last; code++) expect([code, closeAction(code)]).toEqual([code, action]);
    for (const code of [1006, 1011, 3000, 3999, 4200, 4399, 4500, 4999])
      expect([code, closeAction(code)]).toEqual([code, 'reconnect']);
  });

  it('a row above 4000 lies in the range of its action', () => {
    for (const [code, row] of Object.entries(CLOSE_CODES)) {
      expect(closeAction(Number(code))).toBe(row.action);
      if (Number(code) >= 4000) expect([code, row.action]).toEqual([code, closeAction(Number(code) + 50)]);
    }
  });

  it('each name has one code', () => {
    for (const [code, row] of Object.entries(CLOSE_CODES)) expect(closeCodeOf(row.name)).toBe(Number(code));
  });

  it('a reason fits a close frame', () => {
    for (const { name, text } of Object.values(CLOSE_CODES)) expect(`${name}: ${text}`.length).toBeLessThanOrEqual(123);
  });
});

describe('errors', () => {
  it('have kebab-case codes, an error status, and 429 and 503 are worth a retry', () => {
    for (const [code, row] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(row.status >= 400 && row.status < 600).toBe(true);
      if (row.status === 429 || row.status >= 500) expect([code, row.retryable]).toEqual([code, true]);
    }
  });
});
