/** The tools by which `npm run demo` judges can say no: what they report is worth something. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

interface Finding {
  readonly text: string;
  readonly encoding: string;
  readonly file: string;
}
interface Search {
  search(folder: string, texts: string[]): { found: Finding[]; files: number; bytesRead: number };
}
interface Proxy {
  readonly port: number;
  readonly sends: string[];
  loseNextAnswer(): Promise<void>;
  close(): Promise<void>;
}
const demo = new URL('../../../infra/scripts/demo/', import.meta.url);
const { search } = (await import(new URL('plaintext-search.mjs', demo).href)) as Search;
const { startCuttingProxy } = (await import(new URL('cutting-proxy.mjs', demo).href)) as {
  startCuttingProxy(port: number): Promise<Proxy>;
};

const folder = mkdtempSync(join(tmpdir(), 'sealwire-demo-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the search for plaintext', () => {
  const text = 'Gladly, at eight, by the small döor.';
  const utf16 = Buffer.from(text, 'utf16le');
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-16LE', utf16],
    ['UTF-16BE', Buffer.from(utf16).swap16()],
    ['hex', Buffer.from(Buffer.from(text).toString('hex'))],
    ...[0, 1, 2].map((before): [string, Buffer] => {
      const record = Buffer.concat([Buffer.from('xyz'.slice(0, before)), Buffer.from(text), Buffer.from('tail')]);
      return [`base64 (${before})`, Buffer.from(record.toString('base64'))];
    }),
    ['base64url (1)', Buffer.from(Buffer.from(`x${text}?>`).toString('base64url'))],
  ])('finds %s, deep in a folder and in the middle of a file', (encoding, bytes) => {
    const deep = join(folder, 'a/b');
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'data'), Buffer.concat([Buffer.alloc(4_097, 7), bytes, Buffer.alloc(99, 9)]));
    const { found, files, bytesRead } = search(folder, [text, 'not there']);
    expect(found).toContainEqual({ text, encoding, file: 'a/b/data' });
    expect(found.every((finding) => finding.text === text)).toBe(true);
    expect([files, bytesRead]).toEqual([1, 4_097 + bytes.length + 99]);
  });
});

describe('the proxy that loses an answer', () => {
  const UPGRADE = 'GET /relay HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n';
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';
  // A masked binary frame (RFC 6455 section 5.2) of 300 bytes that begins with the tag of Send; and a plain one, Accepted.
  const payload = Buffer.alloc(300, 1).fill(0x12, 0, 1);
  const mask = Buffer.from([1, 2, 3, 4]);
  const send = Buffer.concat([
    Buffer.from([0x82, 0xfe, 0x01, 0x2c]),
    mask,
    payload.map((byte, i) => byte ^ mask[i % 4]!),
  ]);
  const accepted = Buffer.from([0x82, 0x02, 0x12, 0x00]);

  it('passes the message on, keeps the answer, cuts the connection; and passes everything the next time', async () => {
    let received = Buffer.alloc(0);
    const server = createServer((socket) => {
      let heard = Buffer.alloc(0);
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
        if (heard.length === UPGRADE.length) socket.write(SWITCH);
        if (heard.length < UPGRADE.length + send.length) return;
        received = heard.subarray(UPGRADE.length);
        socket.write(accepted);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = await startCuttingProxy((server.address() as AddressInfo).port);

    const cut = proxy.loseNextAnswer();
    const first = await talk(proxy.port);
    await cut;
    expect(received.equals(send)).toBe(true);
    expect(first.toString('latin1')).toBe(SWITCH);

    const second = await talk(proxy.port);
    expect(second.subarray(SWITCH.length)).toEqual(accepted);
    expect(proxy.sends).toHaveLength(2);
    expect(proxy.sends[0]).toBe(proxy.sends[1]);
    await proxy.close();
    server.close();
  });

  /** Upgrades, sends the message in two chunks, and returns all that came back before the end or the answer. */
  async function talk(port: number): Promise<Buffer> {
    const socket: Socket = connect(port, '127.0.0.1');
    let back = Buffer.alloc(0);
    const done = new Promise<void>((resolve) => {
      socket.on('close', () => resolve()).on('error', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        back = Buffer.concat([back, chunk]);
        if (back.length === SWITCH.length) {
          socket.write(send.subarray(0, 100));
          socket.write(send.subarray(100));
        }
        if (back.length > SWITCH.length) socket.destroy();
      });
    });
    socket.write(UPGRADE);
    await done;
    return back;
  }
});
