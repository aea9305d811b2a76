import { describe, expect, it } from '@jest/globals';
import { canonicalServer } from './server-address.ts';

describe('the address of a server', () => {
  it.each([
    ['https://chat.example.org', 'https://chat.example.org'],
    ['https://chat.example.org/', 'https://chat.example.org'],
    ['HTTP://LOCALHOST:8080', 'http://localhost:8080'],
    ['https://Chat.Example.org:443/base/', 'https://chat.example.org/base'],
    ['https://B\u00fccher.example', 'https://xn--bcher-kva.example'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ])('%s has one spelling', (text, canonical) => expect(canonicalServer(text)).toBe(canonical));

  it.each([
    'chat.example.org',
    'ftp://example.org',
    'https://user@example.org',
    'https://example.org/a?b',
    'https://example.org/a#b',
    'https://example.org/a/../b',
    'https://example.org\\a',
    'https://exa mple.org',
    '',
  ])('%j is none', (text) => expect(canonicalServer(text)).toBeUndefined());
});
