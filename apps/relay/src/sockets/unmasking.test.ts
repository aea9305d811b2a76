/** The native helper that `ws` uses where it finds it (docs/adr/0014-a-native-helper-for-ws.md). */
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

type Unmask = (buffer: Uint8Array, mask: Uint8Array) => void;

/** As `ws` looks for it; undefined where npm left the optional package out. One that is there and does not load is a failure. */
function helperOfWs(): Unmask | undefined {
  const ws = createRequire(import.meta.url).resolve('ws');
  try {
    return createRequire(ws)('bufferutil').unmask;
  } catch (error) {
    if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

const unmask = helperOfWs();
const test = unmask ? it : it.skip;

fc.configureGlobal({ seed: 0x5ea1 });

describe('bufferutil', () => {
  test('unmasks as RFC 6455 section 5.3 says, at every alignment, and nothing beside (skipped: npm left the optional package out)', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.nat(20),
        fc.nat(20),
        (bytes, mask, before, behind) => {
          const memory = new Uint8Array(before + bytes.length + behind).fill(0xa5);
          memory.set(bytes, before);
          unmask?.(memory.subarray(before, before + bytes.length), mask);
          const expected = new Uint8Array(memory.length).fill(0xa5);
          expected.set(
            bytes.map((byte, i) => byte ^ mask[i % 4]!),
            before,
          );
          expect(memory).toEqual(expected);
        },
      ),
    );
  });
});
