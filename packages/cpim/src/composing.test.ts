/** RFC 3994, and what is no word on typing. */
import { describe, expect, it } from '@jest/globals';
import { isComposing, readComposing, writeComposing } from './composing.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const NS = 'urn:ietf:params:xml:ns:im-iscomposing';
const inside = (text: string) => bytes(`<isComposing xmlns="${NS}">${text}</isComposing>`);

it('reads the examples of RFC 3994 section 5', () => {
  const active = `<?xml version="1.0" encoding="UTF-8"?>
    <isComposing xmlns="${NS}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="${NS} iscomposing.xsd">
      <state>active</state><contenttype>text/plain</contenttype><refresh>90</refresh>
    </isComposing>`;
  const idle = `<isComposing xmlns="${NS}"><state>idle</state><lastactive>2003-01-27T10:43:00Z</lastactive>
    <contenttype>audio</contenttype></isComposing>`;
  expect(readComposing(bytes(active))).toEqual({ typing: true, refresh: 90 });
  expect(readComposing(bytes(idle))).toEqual({ typing: false });
});

it('reads what it writes', () => {
  for (const word of [{ typing: true, refresh: 90 }, { typing: true }, { typing: false }])
    expect(readComposing(writeComposing(word))).toEqual(word);
  for (const refresh of [0, -1, 1.5, 1e9]) expect(() => writeComposing({ typing: true, refresh })).toThrow('refresh');
});

it('knows its type in any spelling, and no other', () => {
  expect(['application/im-iscomposing+xml', ' Application/IM-isComposing+xml ;charset=utf-8'].map(isComposing)).toEqual(
    [true, true],
  );
  expect(['text/plain', 'application/im-iscomposing+xmls', ''].some(isComposing)).toBe(false);
});

describe('T229: a hostile word on typing', () => {
  it.each([
    ['another root', bytes('<imdn xmlns="urn:ietf:params:xml:ns:imdn"><state>active</state></imdn>'), 'malformed'],
    ['no namespace', bytes('<isComposing><state>active</state></isComposing>'), 'malformed'],
    ['no state', inside('<refresh>60</refresh>'), 'malformed'],
    ['two states', inside('<state>active</state><state>idle</state>'), 'duplicate'],
    ['a document type', bytes(`<!DOCTYPE x [<!ENTITY a "active">]><isComposing xmlns="${NS}"/>`), 'malformed'],
    ['no XML', bytes('typing'), 'malformed'],
    ['4 KiB and one', inside(`<state>active</state>${' '.repeat(4_096)}`), 'too-large'],
    ['elements without end', inside('<x/>'.repeat(300)), 'too-large'],
  ])('%s is no word on typing', (_what, hostile, code) => {
    expect(() => readComposing(hostile)).toThrow(expect.objectContaining({ code }));
  });

  it('a refresh that is no time is none, a state that is not known is idle', () => {
    for (const refresh of ['0', '-5', '1e9', '99999999999', 'soon', ''])
      expect(readComposing(inside(`<state>active</state><refresh>${refresh}</refresh>`))).toEqual({ typing: true });
    expect(readComposing(inside('<state>Active</state>'))).toEqual({ typing: false });
  });
});
