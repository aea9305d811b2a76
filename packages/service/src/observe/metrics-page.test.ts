/** docs/operations/metrics.md has every metric that a server has, and no other one. UPDATE_GENERATED=1 writes its tables. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { replaceSection } from '../testing/settings-documents.ts';
import { createMetrics, type MetricDescription } from './metrics.ts';

const PAGE = new URL('../../../../docs/operations/metrics.md', import.meta.url);

const all = createMetrics({ processMetrics: true }).descriptions();
const isOurs = ({ name }: MetricDescription) => name.startsWith('sealwire_');

describe('docs/operations/metrics.md', () => {
  it.each([
    ['metrics:sealwire', all.filter(isOurs)],
    ['metrics:process', all.filter((metric) => !isOurs(metric))],
  ])('has the table %s as the code has it', (section, metrics) => {
    const page = readFileSync(PAGE, 'utf8');
    const expected = replaceSection(page, section, tableOf(metrics));
    if (process.env.UPDATE_GENERATED === '1') writeFileSync(PAGE, expected);
    else expect(page).toBe(expected);
  });
});

describe('every metric', () => {
  it('is named as Prometheus wants it, and says what it counts', () => {
    for (const { name, type, help } of all.filter(isOurs)) {
      expect(name).toMatch(/^sealwire_[a-z0-9]+(?:_[a-z0-9]+)*$/);
      expect({ name, isTotal: name.endsWith('_total') }).toEqual({ name, isTotal: type === 'counter' });
      expect({ name, help }).not.toEqual({ name, help: '' });
    }
  });

  it('T206: has labels of closed lists alone, none of whom', () => {
    const labels = new Set(all.filter(isOurs).flatMap(({ labels }) => labels));
    const known = [
      'call',
      'code',
      'disk',
      'fault',
      'kind',
      'level',
      'limiter',
      'method',
      'node',
      'part',
      // Of BUS_PEERS.
      'region',
      'result',
      'route',
    ];
    expect([...labels].sort()).toEqual([...known, 'server', 'status', 'type', 'version', 'what', 'where']);
  });
});

function tableOf(metrics: readonly MetricDescription[]): string {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const named = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${named} | ${help.replaceAll('|', '\\|')} |`;
  });
  return ['| metric | type | labels | what it says |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
