import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { COLLECTOR_FLAGS } from './collector.ts';

describe('the settings of the collector', () => {
  // At run time V8 would only complain on stderr.
  it.each(COLLECTOR_FLAGS)('%s is one that this version of Node knows', (flag) => {
    expect(spawnSync(process.execPath, [flag, '--eval', '']).status).toBe(0);
    const unknown = flag.replace('--', '--un');
    expect(spawnSync(process.execPath, [unknown, '--eval', '']).status).not.toBe(0);
  });
});
