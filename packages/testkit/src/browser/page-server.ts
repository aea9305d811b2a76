/**
 * Serves the page of a program on an origin of its own, under a policy that lets it talk to one
 * server and evaluate nothing.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export class PageServer {
  readonly #server: Server;
  #policy = "default-src 'none'";

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `program`: the text of a module; not given: `page.ts`. */
  static async listen(program = "import './page.ts';"): Promise<PageServer> {
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['@sealwire/source'],
      write: false,
      logLevel: 'silent',
    });
    const script = outputFiles[0]!.contents;
    const page: PageServer = new PageServer(
      createServer((request, response) => {
        if (request.url === '/page.js')
          return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
        response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': page.#policy });
        response.end('<!doctype html><title>Sealwire</title><script type="module" src="/page.js"></script>');
      }),
    );
    page.#server.listen(0, '127.0.0.1');
    await once(page.#server, 'listening');
    return page;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `server`: the origin that its page may talk to; `files`: and where its files lie, if elsewhere. */
  allow(server: string, files = ''): void {
    this.#policy = `default-src 'none'; script-src 'self'; connect-src ${server} ${server.replace('http', 'ws')} ${files}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
