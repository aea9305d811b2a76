/**
 * The SDK in a real browser, over a real server of another origin: solo, and two processes of
 * Chromium with what they store.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FILE_SEGMENT_ROOM, paddedFileSize } from '@sealwire/wire/file-sizes';
import type { Page } from 'playwright-core';
import { Chromium, deviceIn, findChromium } from './browser/chromium.ts';
import { PageServer } from './browser/page-server.ts';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses, root } from './faults/source-process.ts';

jest.setTimeout(120_000);

const program = findChromium();
const title = program ? 'in Chromium' : 'in Chromium (skipped: infra/scripts/chromium.sh installs it)';

(program ? describe : describe.skip)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-browser-'));
  const running = new Set<Chromium>();
  let pages: PageServer;
  let foreignPages: PageServer;
  let documentedPages: PageServer;
  let server: ServerProcess;
  let count = 0;
  let alice: string;
  let bob: string;

  beforeAll(async () => {
    const documented = [...readFileSync(join(root, 'docs/install.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)];
    pages = await PageServer.listen();
    foreignPages = await PageServer.listen();
    documentedPages = await PageServer.listen(documented[1]![1]);
    const allowed = [pages.origin, documentedPages.origin];
    server = await ServerProcess.on(join(folder, 'server'), ['--allowed-origins', allowed.join()]);
    await server.start();
    for (const each of [pages, foreignPages, documentedPages]) each.allow(server.origin);
  });
  beforeEach(() => {
    count++;
    [alice, bob] = [`alice${count}`, `bob${count}`];
  });
  afterEach(async () => {
    await Promise.all([...running].map((browser) => browser.kill()));
    running.clear();
  });
  afterAll(async () => {
    await server.stop();
    await endAllProcesses();
    await Promise.all([pages, foreignPages, documentedPages].map((each) => each.close()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function browserOf(name: string): Promise<Chromium> {
    const browser = await Chromium.start(program!, join(folder, name));
    running.add(browser);
    return browser;
  }

  async function registered(name: string) {
    const browser = await browserOf(name);
    const page = await browser.openPage(pages.origin);
    expect(await deviceIn(page).register(server.origin, name)).toBe(`sip:${name}@localhost`);
    return { browser, page, device: deviceIn(page) };
  }

  it('two people register and talk, from an origin that the server lists', async () => {
    const [first, second] = await Promise.all([registered(alice), registered(bob)]);
    expect(await first.device.send(bob, 'Are you there?')).toBe('accepted');
    expect(await second.device.texts(1)).toEqual(['Are you there?']);
    expect(await second.device.send(alice, 'Gladly.')).toBe('accepted');
    expect(await first.device.texts(1)).toEqual(['Gladly.']);
  });

  it('a page sends a file, another one reads it and a part of it, by the browser’s own AES-GCM', async () => {
    const [first, second] = await Promise.all([registered(alice), registered(bob)]);
    const size = 9_000_000;
    expect(await first.device.sendFile(bob, size)).toBe('accepted');
    expect(await second.device.receiveFile()).toEqual({
      size,
      counts: true,
      part: [99_998 % 251, 99_999 % 251, 100_000 % 251],
      // Each segment of the padded file, and the one of the part.
      native: Math.ceil(paddedFileSize(size) / FILE_SEGMENT_ROOM) + 1,
    });
  });

  it('the program of docs/install.md for a page says back what is written to it', async () => {
    const { browser, device } = await registered(alice);
    const page = await browser.openPage(`${documentedPages.origin}/?server=${server.origin}`);
    const isThere = () => (globalThis as unknown as { document: { title: string } }).document.title.includes('is here');
    await page.waitForFunction(isThere);
    expect(await page.title()).toBe('sip:echo@localhost is here');
    await device.send('echo', 'Is anybody there?');
    expect(await device.texts(1)).toEqual(['Is anybody there?']);
  });

  it('a page that is loaded again, or whose process has crashed, finds its state', async () => {
    const [first, second] = await Promise.all([registered(alice), registered(bob)]);
    await first.device.send(bob, 'one');
    await first.page.reload();
    expect(await first.device.open(alice)).toBe(`sip:${alice}@localhost`);
    await second.device.send(alice, 'two');
    expect(await first.device.texts(1)).toEqual(['two']);

    const crashed = first.page.waitForEvent('crash');
    await Promise.race([first.page.goto('chrome://crash').catch(() => undefined), crashed]);
    await crashed;
    const again = deviceIn(await first.browser.openPage(pages.origin));
    expect(await again.open(alice)).toBe(`sip:${alice}@localhost`);
    await again.send(bob, 'three');
    expect(await second.device.texts(2)).toEqual(['one', 'three']);
  });

  it('a browser that is killed while it sends has lost nothing that it promised, and sends nothing twice', async () => {
    const [first, second] = await Promise.all([registered(alice), registered(bob)]);
    void first.device.sendNumbers(bob).catch(() => undefined);
    await second.device.texts(10);
    const promised = await first.device.durable();
    await first.browser.kill();

    const page = await (await browserOf(alice)).openPage(pages.origin);
    expect(await deviceIn(page).open(alice)).toBe(`sip:${alice}@localhost`);
    expect(await deviceIn(page).send(bob, 'last')).toBe('accepted');
    const texts = await second.device.texts(promised + 1);
    while (texts.at(-1) !== 'last') texts.push(...(await second.device.texts(texts.length + 1)).slice(texts.length));
    expect(texts.length).toBeGreaterThan(promised);
    expect(texts).toEqual([...texts.slice(1).keys()].map(String).concat('last'));
  });

  it('F17: a second tab of the same device is refused, and let in when the first is closed', async () => {
    const { browser, page } = await registered(alice);
    const tab = deviceIn(await browser.openPage(pages.origin));
    expect(await tab.open(alice)).toBe('locked');
    await page.close();
    expect(await tab.open(alice)).toBe(`sip:${alice}@localhost`);
  });

  it('H01: a page of an origin that is not listed reaches nothing', async () => {
    const page = await (await browserOf(alice)).openPage(foreignPages.origin);
    expect(await deviceIn(page).register(server.origin, alice)).toBe('unreachable');
    const closed = page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const { WebSocket } = globalThis as unknown as {
            WebSocket: new (url: string, protocol: string) => { onclose(event: { code: number }): void };
          };
          new WebSocket(url, 'sealwire.v1').onclose = ({ code }) => resolve(code);
        }),
      `${server.origin.replace('http', 'ws')}/relay`,
    );
    expect(await closed).toBe(1006);
  });

  /** Chromium's own tools for the storage of an origin. */
  async function storageTools(page: Page) {
    const session = await page.context().newCDPSession(page);
    return {
      limit: (quotaSize: number) => session.send('Storage.overrideQuotaForOrigin', { origin: pages.origin, quotaSize }),
      remove: () => session.send('Storage.clearDataForOrigin', { origin: pages.origin, storageTypes: 'indexeddb' }),
    };
  }

  it('a browser without room says so, and goes on from where it was when there is room again', async () => {
    await registered(bob);
    const browser = await browserOf(alice);
    const page = await browser.openPage(pages.origin);
    const tools = await storageTools(page);
    // Before anything is stored: what is granted is granted for a while.
    await tools.limit(1_000_000);
    const device = deviceIn(page);
    expect(await device.register(server.origin, alice)).toBe(`sip:${alice}@localhost`);
    let answer = 'accepted';
    for (let sent = 0; answer === 'accepted' && sent < 200; sent++) answer = await device.send(bob, 'x'.repeat(30_000));
    expect(answer).toBe('storage-full');

    await tools.limit(1_000_000_000);
    await page.reload();
    expect(await device.open(alice)).toBe(`sip:${alice}@localhost`);
    expect(await device.send(bob, 'room again')).toBe('accepted');
  });

  it('a database that the browser removes under a page is told of, and is no device any more', async () => {
    const { page, device } = await registered(alice);
    await (await storageTools(page)).remove();
    // The browser may answer before the page hears of it.
    let answer = 'accepted';
    for (let sent = 0; answer === 'accepted' && sent < 200; sent++) answer = await device.send(alice, 'gone');
    expect(answer).toBe('storage-failed');
    await page.reload();
    expect(await device.open(alice)).toBe('not-registered');
  });
});
