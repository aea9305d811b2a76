import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeFileDescriptor, encodeFileDescriptor, FILE_DESCRIPTOR, type FileDescriptor } from './file-descriptor.ts';
import { fileNameFrom, isFileName } from './file-name.ts';
import { engineFileSize, LARGEST_FILE, paddedFileSize, sealedFileSize } from './file-sizes.ts';

const DESCRIPTOR: FileDescriptor = {
  key: new Uint8Array(32).fill(1),
  digest: new Uint8Array(32).fill(2),
  size: 70_000,
  sealedSize: sealedFileSize(70_000),
  name: 'holiday in Zürich.jpg',
  type: 'image/jpeg',
  url: 'https://chat.example.org/v1/files/abc?until=1&signature=x',
  expiresAt: 1_800_000_000_000,
};
const refusal = expect.objectContaining({ code: 'bad-file-descriptor' });
const sizes = fc.oneof(fc.nat(70_000), fc.integer({ min: 0, max: LARGEST_FILE }));

/** Written without the checks of the encoder. */
function lie(change: object): Uint8Array {
  return FILE_DESCRIPTOR.encode({
    ...DESCRIPTOR,
    engine: '',
    thumbnailType: '',
    thumbnail: new Uint8Array(0),
    ...change,
  });
}

describe('the descriptor of a file', () => {
  it('comes back as it was, with a thumbnail and without', () => {
    const thumbnail = { type: 'image/webp', body: Uint8Array.of(1, 2) };
    for (const descriptor of [
      DESCRIPTOR,
      { ...DESCRIPTOR, size: 0, sealedSize: sealedFileSize(0) },
      { ...DESCRIPTOR, thumbnail },
      { ...DESCRIPTOR, engine: 'xor', sealedSize: engineFileSize(70_000) },
      { ...DESCRIPTOR, url: 'http://[::1]:8080/f' },
    ])
      expect(decodeFileDescriptor(encodeFileDescriptor(descriptor))).toEqual(descriptor);
  });

  it.each([
    ['a size without its encrypted size', { size: 80_000 }],
    ['an encrypted size that is one byte off', { sealedSize: DESCRIPTOR.sealedSize + 1 }],
    ['a file beyond all sizes', { size: LARGEST_FILE + 1, sealedSize: sealedFileSize(LARGEST_FILE + 1) }],
    ['a key of another length', { key: new Uint8Array(31) }],
    ['a digest of another length', { digest: new Uint8Array(33) }],
    ['no name', { name: '' }],
    ['a name with ../', { name: '../.bashrc' }],
    ['a name with a line break', { name: 'a\nb' }],
    ['a type that is none', { type: 'image' }],
    ['a thumbnail that is a page', { thumbnailType: 'image/svg', thumbnail: Uint8Array.of(1) }],
    ['a thumbnail without a type', { thumbnail: Uint8Array.of(1) }],
    ['no URL', { url: '' }],
    ['a URL without a host', { url: '/v1/files/abc' }],
    ['a URL of the disk', { url: 'file:///etc/passwd' }],
    ['a URL that runs', { url: 'javascript:alert(1)' }],
    ['a URL with a user', { url: 'https://bob@chat.example.org/f' }],
    ['a URL with a password', { url: 'https://:secret@chat.example.org/f' }],
    ['a URL with a fragment', { url: 'https://chat.example.org/f#' }],
    ['a URL that two programs read in two ways', { url: 'https:\\\\chat.example.org\\@evil.example/f' }],
    ['a URL in another spelling', { url: 'https://CHAT.example.org/f' }],
    ['a URL with a line break', { url: 'https://chat.example.org/f\n' }],
    ['a URL that is too long', { url: `https://chat.example.org/${'f'.repeat(2_048)}` }],
    ['an engine without a name', { engine: 'X' }],
    ['an engine with the size of none', { engine: 'xor' }],
    ['a thumbnail that is too large', { thumbnailType: 'image/png', thumbnail: new Uint8Array(16_385) }],
  ])('refuses a descriptor that lies: %s', (_name, change) => {
    expect(() => decodeFileDescriptor(lie(change))).toThrow(refusal);
  });

  it('refuses to write one that would be refused', () => {
    for (const change of [{ name: '../x' }, { size: 80_000 }, { type: 'image' }])
      expect(() => encodeFileDescriptor({ ...DESCRIPTOR, ...change })).toThrow(refusal);
  });

  it('throws nothing but WireError for any bytes', () => {
    const good = encodeFileDescriptor(DESCRIPTOR);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
        const bytes = good.slice(0, length);
        if (at < length) bytes[at] = value;
        try {
          decodeFileDescriptor(bytes);
        } catch (error) {
          expect(error).toEqual(refusal);
        }
      }),
      { seed: 1 },
    );
  });
});

describe('G12: Padmé', () => {
  it.each([
    [0, 4096],
    [4096, 4096],
    [4097, 4352],
    [9, 4096],
    [65_537, 67_584],
    [1_000_000, 1_015_808],
    [2 ** 31, 2 ** 31],
    [2 ** 31 + 1, 2 ** 31 + 2 ** 26],
  ])('%i bytes become %i', (size, padded) => {
    expect(paddedFileSize(size)).toBe(padded);
  });

  it('is never shorter, at most 12 % longer above 4 KiB, the same for what is padded, and never falls', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const padded = paddedFileSize(size);
        expect(padded).toBeGreaterThanOrEqual(size);
        expect(padded).toBeLessThanOrEqual(Math.max(4096, size * 1.12));
        expect(paddedFileSize(padded)).toBe(padded);
        expect(paddedFileSize(size + 1)).toBeGreaterThanOrEqual(padded);
      }),
      { seed: 1 },
    );
  });
});

describe('names of files', () => {
  it.each(['a.txt', '.profile', 'ä', '文件.pdf', 'x'.repeat(255), 'a..b', 'con-text', 'console.log'])(
    'takes %j',
    (name) => {
      expect(isFileName(name)).toBe(true);
      if (name.length < 255) expect(fileNameFrom(name)).toBe(name);
    },
  );

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\win.ini', 'win.ini'],
    ['..', 'file'],
    ['.', 'file'],
    ['', 'file'],
    ['a\u0000b', 'a_b'],
    ['photo\u202egpj.exe', 'photo_gpj.exe'],
    ['a:stream', 'a_stream'],
    ['nul', '_nul'],
    ['COM1.txt', '_COM1.txt'],
    ['ends. . ', 'ends'],
    [' begins', 'begins'],
    ['half\ud800', 'half_'],
    [`${'ü'.repeat(200)}.tar`, `${'ü'.repeat(125)}.tar`],
  ])('refuses %j, and writes %j for it', (name, clean) => {
    expect(isFileName(name)).toBe(false);
    expect(fileNameFrom(name)).toBe(clean);
  });

  it('writes a name that it takes for any text, and the same one again', () => {
    const odd = fc.constantFrom('/', '\\', '.', ' ', '\u202e', 'nul', 'ü', '😀', '\ud800', '\n', 'a'.repeat(90));
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.string())), (parts) => {
        const name = fileNameFrom(parts.join(''));
        expect(isFileName(name)).toBe(true);
        expect(fileNameFrom(name)).toBe(name);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
