import { describe, expect, it } from '@jest/globals';
import { encodeContent } from '@sealwire/wire/envelope';
import { readPlaintext } from './bare-plaintext.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('what was decrypted', () => {
  it('is content where our encoding holds', () => {
    const content = { type: 'text/plain', body: utf8('hello'), sentAt: 7, id: 'abc' };
    expect(readPlaintext(encodeContent(content))).toEqual({ kind: 'content', ...content });
  });

  it('is CPIM where a client writes as Linphone does, with what it names as its author', () => {
    const plain =
      'From: <sip:bob@example.org;gr=1>\r\nTo: <sip:alice@example.org>\r\nDateTime: 2026-11-28T11:42:10Z\r\n\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
    const content = { type: 'text/plain', body: utf8('hello'), sentAt: Date.UTC(2026, 10, 28, 11, 42, 10) };
    expect(readPlaintext(utf8(plain))).toEqual({ kind: 'cpim', author: 'sip:bob@example.org;gr=1', ...content });
  });

  it.each(['', 'hello', 'grüße, שלום', '\n\nfour lines\n\n', 'From: <sip:bob@example.org>\r\n\r\nhello'])(
    'is the text itself where a client knows no encoding: %j',
    (text) => {
      expect(readPlaintext(utf8(text))).toEqual({ kind: 'bare', type: 'text/plain', body: utf8(text) });
    },
  );

  it('is bytes where it is neither', () => {
    const body = Uint8Array.of(0xff, 0xfe, 0x00, 0x80);
    expect(readPlaintext(body)).toEqual({ kind: 'bare', type: 'application/octet-stream', body });
  });
});
