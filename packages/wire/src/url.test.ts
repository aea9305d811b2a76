import { expect, it } from '@jest/globals';
import { urlIn } from './url.ts';

it('knows a URL of Latin-1 letters, however often it was asked', () => {
  let known = 0;
  for (let i = 0; i < 50_000; i++) if (urlIn('https://B\u00fccher.example/')) known++;
  expect(known).toBe(50_000);
  expect(urlIn('/a', 'https://example.org')?.href).toBe('https://example.org/a');
  expect([urlIn('/a'), urlIn('https://'), urlIn('')]).toEqual([undefined, undefined, undefined]);
});
