/** Whatever comes: something, or the one typed error, in time that grows with the length of the input and not faster. */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readChatMessage, writeChatMessage } from './chat-message.ts';
import { CpimError } from './errors.ts';
import { HEAD_BYTES, HEAD_LINES, IMDN_BYTES, MESSAGE_BYTES, MULTIPART_BYTES, PARTS } from './limits.ts';
import { readCpim } from './message.ts';
import { parseMediaType, readEntity } from './mime.ts';
import { readMultipart } from './multipart.ts';
import { inflateBody } from './node/content-encoding.ts';
import { readNotice } from './notice.ts';
import { readOuterBody, writeOuterBody } from './outer-body.ts';
import { parseAddress, unescapeText } from './values.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const error = (code: string) => expect.objectContaining({ name: 'CpimError', code });

const HEAD = 'From: <sip:alice@example.org>\r\nTo: <sip:bob@example.org>\r\n\r\n';
const TYPED = `${HEAD}Content-Type: text/plain\r\n`;
const GOOD = `${TYPED}\r\nhello`;
const OUTER = 'multipart/encrypted;protocol="application/lime";boundary=b';
const outer = writeOuterBody(
  {
    from: 'sip:alice@example.org;gr=1',
    id: 'abc',
    parts: new Map([['sip:bob@example.org;gr=1', utf8('key')]]),
    cipherMessage: utf8('text'),
  },
  'b',
).body;
const NOTICE =
  '<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>a</message-id><datetime>2026-11-28T11:42:10Z</datetime><display-notification><status><displayed/></status></display-notification></imdn>';

const READERS: Record<string, (bytes: Uint8Array) => unknown> = {
  readCpim,
  readChatMessage,
  readNotice,
  readEntity: (bytes) => readEntity(bytes),
  readMultipart: (bytes) => readMultipart(bytes, 'b'),
  readOuterBody: (bytes) => readOuterBody(OUTER, bytes),
  inflateBody,
  parseMediaType: (bytes) => parseMediaType(textOf(bytes)),
  parseAddress: (bytes) => parseAddress(textOf(bytes)),
};
const SEEDS = [utf8(GOOD), outer, utf8(NOTICE), deflateSync(outer), utf8('a/b; c="d"')];

describe.each(Object.entries(READERS))('%s throws its typed error and no other', (_name, read) => {
  const tolerate = (bytes: Uint8Array) => {
    try {
      read(bytes);
    } catch (thrown) {
      if (!(thrown instanceof CpimError)) throw thrown;
    }
  };

  it('of any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), tolerate), { seed: 14, numRuns: 500 });
  });

  it('of text that looks like a message', () => {
    const piece = fc.constantFrom(
      ...['\r\n', '\n', '\r', '\0', ' ', ':', ': ', ';', '=', '"', '\\', '\\u', '<', '>', '--b', '--b--', 'NS', 'From'],
      ...['To', 'Require', 'a.b', 'imdn', ',', 'DateTime', '2026-11-28T11:42:10Z', 'Content-Type', 'Content-Length'],
      ...['99999999999', '-1', 'multipart/mixed', '&lol;', '<!DOCTYPE a [', ']>', '<imdn>', '<![CDATA[', '\u2028', 'é'],
    );
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => utf8(pieces.join('')));
    fc.assert(fc.property(text, tolerate), { seed: 14, numRuns: 1_000 });
  });

  it('of good input with a byte changed, or cut anywhere', () => {
    for (const seed of SEEDS)
      for (let at = 0; at < seed.length; at++) {
        tolerate(seed.subarray(0, at));
        for (const byte of [0, 10, 13, 0x3a, 0xff]) tolerate(seed.with(at, byte));
      }
  });
});

describe('lines and lengths', () => {
  it.each([
    ['bare LF', GOOD.replaceAll('\r\n', '\n'), 'malformed'],
    ['one bare LF among CRLF', GOOD.replace('org>\r\nTo', 'org>\nTo'), 'malformed'],
    ['a bare LF in a header that nobody reads', `Subject: a\nFrom: <sip:eve@example.org>\r\n${GOOD}`, 'malformed'],
    ['NUL in a header that nobody reads', `Subject: a\0b\r\n${GOOD}`, 'malformed'],
    ['bare CR', GOOD.replace('org>\r\nTo', 'org>\rTo'), 'malformed'],
    ['NUL in a header', GOOD.replace('bob', 'bob\0'), 'malformed'],
    ['NUL in a name', GOOD.replace('To:', 'T\0o:'), 'malformed'],
    ['no empty line', HEAD.trimEnd(), 'malformed'],
    ['a line without a colon', GOOD.replace('To: ', 'To '), 'malformed'],
    ['a content line without a colon', GOOD.replace('Type: ', 'Type '), 'malformed'],
    ['a folded first line', `${HEAD} Content-Type: text/plain\r\n\r\n`, 'malformed'],
    ['a length that is too large', `${TYPED}Content-Length: 6\r\n\r\nhello`, 'length-differs'],
    ['a length that is too small', `${TYPED}Content-Length: 4\r\n\r\nhello`, 'length-differs'],
    ['a length below zero', `${TYPED}Content-Length: -5\r\n\r\nhello`, 'malformed'],
    ['a length beyond numbers', `${TYPED}Content-Length: 99999999999999999999\r\n\r\nhello`, 'malformed'],
    ['two lengths', `${TYPED}Content-Length: 5\r\nContent-length: 5\r\n\r\nhello`, 'duplicate'],
    ['two types', `${TYPED}content-type: text/html\r\n\r\nhello`, 'duplicate'],
    ['two authors', `From: <sip:eve@example.org>\r\n${GOOD}`, 'duplicate'],
    ['two times', `DateTime: 2026-11-28T11:42:10Z\r\nDateTime: 2026-11-28T11:42:10Z\r\n${GOOD}`, 'duplicate'],
    [
      'two ids',
      `NS: i <urn:ietf:params:imdn>\r\nNS: j <urn:ietf:params:imdn>\r\ni.Message-ID: a\r\nj.Message-ID: b\r\n${GOOD}`,
      'duplicate',
    ],
    ['a namespace without a URI', `NS: imdn\r\n${GOOD}`, 'malformed'],
    ['a requirement that nobody knows', `Require: x.y\r\n${GOOD}`, 'unsupported'],
    ['a time of no calendar', `DateTime: 2026-13-45T99:00:00Z\r\n${GOOD}`, 'malformed'],
  ])('%s: refused', (_name, text, code) => {
    expect(() => readChatMessage(utf8(text))).toThrow(error(code));
  });

  it('header lines that are not UTF-8 are refused; a body may be anything', () => {
    const bytes = utf8(GOOD);
    expect(() => readCpim(bytes.with(8, 0xff))).toThrow(error('malformed'));
    expect(readCpim(bytes.with(bytes.length - 1, 0xff)).content.body).toContain(0xff);
  });

  it.each(['From', 'DateTime'])('%s twice is refused by the reader of any message', (name) => {
    expect(() => readCpim(utf8(`${name}: a\r\n${name}: b\r\n\r\n\r\n`))).toThrow(error('duplicate'));
  });

  it('one line end after a true length is none of the body', () => {
    expect(textOf(readChatMessage(utf8(`${TYPED}Content-Length: 5\r\n\r\nhello\r\n`)).body)).toBe('hello');
  });
});

describe('bounds, on both sides', () => {
  const x = (count: number, text = 'x') => text.repeat(count);
  it.each<[string, (count: number) => Uint8Array, number, (bytes: Uint8Array) => unknown]>([
    ['a message', (count) => utf8(GOOD + x(count - GOOD.length)), MESSAGE_BYTES, readCpim],
    ['a head', (count) => utf8(`A: ${x(count - 7)}\r\n\r\n\r\n`), HEAD_BYTES, readCpim],
    ['header lines', (count) => utf8(`${x(count, 'A: 1\r\n')}\r\n\r\n`), HEAD_LINES, readCpim],
    ['folded lines', (count) => utf8(`A: 1\r\n${x(count - 1, ' 1\r\n')}\r\n`), HEAD_LINES, readEntity],
    ['parts', (count) => utf8(`${x(count, '--b\r\n\r\n\r\n')}--b--`), PARTS, (bytes) => readMultipart(bytes, 'b')],
    [
      'a multipart body',
      (count) => utf8(`--b\r\n\r\n${x(count - 14)}\r\n--b--`.slice(0, count)),
      MULTIPART_BYTES,
      (bytes) => readMultipart(bytes, 'b'),
    ],
    ['a notice', (count) => utf8(NOTICE + x(count - NOTICE.length, ' ')), IMDN_BYTES, readNotice],
    ['an inflated body', (count) => deflateSync(new Uint8Array(count)), MULTIPART_BYTES, inflateBody],
  ])('%s', (_name, make, most, read) => {
    read(make(most));
    expect(() => read(make(most + 1))).toThrow(error('too-large'));
  });

  it('levels of XML', () => {
    const nested = (levels: number) => utf8(`${x(levels, '<a>')}${x(levels, '</a>')}`);
    expect(() => readNotice(nested(16))).toThrow(error('malformed'));
    expect(() => readNotice(nested(17))).toThrow(error('too-large'));
  });

  it('a small body that inflates to a gigabyte ends at the bound', () => {
    // Deflated twice, a run of zeros is a few kilobytes; once is enough here.
    const bomb = deflateSync(new Uint8Array(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => inflateBody(bomb)).toThrow(error('too-large'));
  });
});

/** Inputs at the bounds of a kind that a careless search reads once more from each place: then these take minutes, or hours. */
describe('is linear', () => {
  const fill = (count: number, piece: string) => piece.repeat(Math.floor(count / piece.length));
  it.each(['A', ' ', '\t', ';', '"', '\\', '<', '<a', ';a="', ';a=b', 'a/', '\\u', '."'])(
    'header lines full of %j',
    (piece) => {
      const run = fill(HEAD_BYTES - 100, piece);
      for (const line of [
        `From:${run}!`,
        `From: a${run}!`,
        `From: ${run}`,
        `${run}: x`,
        `NS: ${run}`,
        `Require: ${run}`,
        `a.${run}`,
      ])
        for (const read of [readChatMessage, readEntity]) {
          try {
            read(utf8(`${line}\r\n\r\n\r\n`));
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(CpimError);
          }
        }
      for (const parse of [parseMediaType, parseAddress]) expect(() => parse(`${run}\0`)).toThrow(CpimError);
      expect(() => parseMediaType(`a/b;${run}\0`)).toThrow(CpimError);
      unescapeText(run);
    },
  );

  it.each(['\r', '\r\n', '\r\n-', '\r\n--', '\r\n--bbbb', '\r\n--b', '\n'])('a body full of %j', (piece) => {
    const boundary = `bbbb${'-'.repeat(65)}`;
    const body = utf8(`--${boundary}\r\n\r\n${fill(MULTIPART_BYTES - 1_000, piece)}`);
    expect(() => readMultipart(body, boundary)).toThrow(CpimError);
  });

  it('a base64 part of spaces', () => {
    const part = `Content-Type: application/lime\r\nContent-Id: a\r\n\r\n${fill(4_000_000, ' ')}!`;
    expect(() => readOuterBody(OUTER, utf8(`--b\r\n${part}\r\n--b--`))).toThrow(error('malformed'));
  });

  it('messages in messages, parts in parts: only the outermost is looked at', () => {
    let nested = utf8('x');
    while (nested.length < MESSAGE_BYTES - 200)
      nested = writeChatMessage({ from: 'sip:a@b', to: 'sip:a@b', type: 'message/cpim', body: nested });
    expect(readChatMessage(nested).type).toBe('message/cpim');
    const deep = utf8(`${fill(MULTIPART_BYTES / 2, '--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n')}`);
    expect(() => readMultipart(deep, 'b')).toThrow(CpimError);
  });
});

describe('XML', () => {
  it.each([
    ['billion laughs', '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>', '&b;', /document type/],
    ['a file of the machine', '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>', '&a;', /document type/],
    ['a document type elsewhere', '<!DOCTYPE imdn SYSTEM "http://example.org/x.dtd">', 'a', /document type/],
    ['an entity that nobody declared', '', '&a;', /no XML/],
  ])('%s: refused', (_name, prologue, id, reason) => {
    const notice = prologue + NOTICE.replace('<message-id>a<', `<message-id>${id}<`);
    expect(() => readNotice(utf8(notice))).toThrow(error('malformed'));
    expect(() => readNotice(utf8(notice))).toThrow(reason);
  });

  it.each([
    ['two kinds', NOTICE.replace('<display', '<delivery-notification/><display')],
    ['a status of another kind', NOTICE.replace('<displayed/>', '<delivered/>')],
    ['two states', NOTICE.replace('<displayed/>', '<displayed/><error/>')],
    ['no status', NOTICE.replace('<displayed/>', '')],
    ['two ids', NOTICE.replace('<datetime>', '<message-id>b</message-id><datetime>')],
    ['no time', NOTICE.replace(/<datetime>.*<.datetime>/, '')],
    ['another root', NOTICE.replaceAll('imdn>', 'x>').replace('<imdn', '<x')],
    ['another namespace', NOTICE.replace('ns:imdn', 'ns:other')],
    ['no XML', 'delivered'],
  ])('a notice with %s: refused', (_name, notice) => {
    expect(() => readNotice(utf8(notice))).toThrow(CpimError);
  });
});

describe('the outer body', () => {
  const part = (head: string, body: string) => `--b\r\n${head}\r\n\r\n${body}\r\n`;
  const SENDER = part('Content-Type: message/sipfrag', 'From: <sip:alice@example.org;gr=1>\r\n');
  const KEY = part('Content-Type: application/lime\r\nContent-Id: sip:bob@example.org;gr=1', 'a2V5');
  const END = '--b--';

  it('without a message/cpim: the sender is in the fragment', () => {
    expect(readOuterBody(OUTER, utf8(SENDER + KEY + END))).toEqual({
      from: 'sip:alice@example.org;gr=1',
      parts: new Map([['sip:bob@example.org;gr=1', utf8('key')]]),
    });
  });

  it.each([
    ['no sender', KEY + END, 'malformed'],
    ['two senders', SENDER + SENDER.replace('alice', 'eve') + KEY + END, 'duplicate'],
    ['a device twice', SENDER + KEY + KEY + END, 'duplicate'],
    ['a part of no device', SENDER + KEY.replace(/\r\nContent-Id.*1/, '') + END, 'malformed'],
    ['a part that is not base64', SENDER + KEY.replace('a2V5', 'a2V5*') + END, 'malformed'],
    ['no end', SENDER + KEY, 'malformed'],
    ['no parts', END, 'malformed'],
    ['a line that goes on after the boundary', `${SENDER}${KEY.replace('--b\r\n', '--bX: y\r\n')}${END}`, 'malformed'],
  ])('%s: refused', (_name, body, code) => {
    expect(() => readOuterBody(OUTER, utf8(body))).toThrow(error(code));
  });

  it.each([
    ['another protocol', OUTER.replace('lime', 'pgp')],
    ['no boundary', 'multipart/encrypted;protocol="application/lime"'],
    ['two boundaries', `${OUTER};boundary=c`],
    ['another type', OUTER.replace('encrypted', 'mixed')],
  ])('of %s: refused', (_name, contentType) => {
    expect(() => readOuterBody(contentType, utf8(SENDER + KEY + END))).toThrow(CpimError);
  });

  it('text that has the boundary in it is not written under that one', () => {
    const from = 'sip:alice@example.org;gr=1';
    expect(() => writeOuterBody({ from, parts: new Map() }, 'b\r\n')).toThrow(error('unwritable'));
  });
});
