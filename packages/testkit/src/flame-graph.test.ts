/** `npm run profile` draws what V8 measured: widths are processor time, idle time is not in it, and names are only names. */
import { describe, expect, it } from '@jest/globals';
import { flameGraph } from '../../../infra/scripts/flame-graph.mjs';

const frame = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url, lineNumber: 6 },
  children,
});

describe('a flame graph', () => {
  const profile = {
    nodes: [
      frame(1, '(root)', '', [2, 3, 4, 7]),
      frame(2, '(idle)', ''),
      frame(3, 'route', 'file:///x/apps/relay/src/router.ts', [5, 6]),
      frame(4, '(garbage collector)', ''),
      frame(5, 'write<script>', 'node:net'),
      // The same function, called from another line.
      frame(6, 'write<script>', 'node:net'),
      frame(7, 'post', 'node:inspector'),
    ],
    samples: [2, 3, 5, 6, 4, 7],
    timeDeltas: [9_000, 250, 250, 250, 250, 9_000],
  };
  const svg = flameGraph(profile, 'a & b');

  it('leaves out idle time and its own beginning, and adds up what one function took', () => {
    expect(svg).not.toMatch(/idle\)|post/);
    expect(svg).toContain('route (apps/relay/src/router.ts:7): 75.0 %, itself 25.0 %');
    expect(svg.match(/write[^<]*: 50\.0 %, itself 50\.0 %/g)).toHaveLength(1);
    expect(svg).toContain('width="899.6"');
  });

  it('runs nothing: what comes from the profile is text', () => {
    expect(svg).not.toMatch(/<script|<image|href|on\w+=/);
    expect(svg).toContain('a &#38; b');
  });
});
