import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { COLLECTOR_FLAG } from './collector.ts';

describe('the setting of the collector', () => {
  // At run time V8 would only complain on stderr.
  it('is one that this version of Node knows', () => {
    expect(spawnSync(process.execPath, [COLLECTOR_FLAG, '--eval', '']).status).toBe(0);
    expect(spawnSync(process.execPath, [`${COLLECTOR_FLAG}-at-all`, '--eval', '']).status).not.toBe(0);
  });
});
