import { describe, expect, it } from '@jest/globals';
import { decodeGroupNews, encodeGroupNews, GROUP_HEADS } from './group-news.ts';

describe('news of a group', () => {
  const hash = new Uint8Array(32).fill(7);
  const news = { group: hash, heads: [hash], events: Uint8Array.of(1), asks: true };
  const refusal = expect.objectContaining({ name: 'WireError', code: 'bad-content' });

  it('come back as they were', () => {
    const byLink = { ...news, link: hash, proof: new Uint8Array(64).fill(1) };
    expect(decodeGroupNews(encodeGroupNews(byLink))).toEqual(byLink);
    expect(decodeGroupNews(encodeGroupNews(news))).toMatchObject({ ...news, link: new Uint8Array(0) });
  });

  it.each([
    { heads: Array<Uint8Array>(GROUP_HEADS + 1).fill(hash) },
    { heads: [hash.subarray(1)] },
    { group: hash.subarray(1) },
    { link: hash },
    { proof: new Uint8Array(64).fill(1) },
  ])('are refused with %o', (wrong) => {
    expect(() => decodeGroupNews(encodeGroupNews({ ...news, ...wrong }))).toThrow(refusal);
  });
});
