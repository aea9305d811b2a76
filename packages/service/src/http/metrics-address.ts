/**
 * The pages of the operator (`/metrics`, `/livez`, `/readyz`, `/version`) on an address of their own, which is none of the clients':
 * plain HTTP, for the network of those who watch.
 */
import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../boot/settings.ts';
import type { Health } from '../observe/health.ts';
import { listenError } from './listen-error.ts';
import { Problem } from './problem.ts';

export interface MetricsListening {
  readonly url: string;
  close(): Promise<void>;
}

/** `limits`: those of the server that it is the other address of. Throws `ConfigError` when the address cannot be had. */
export async function listenForMetrics(
  address: ListenAddress,
  health: Health,
  limits: ServerOptions,
): Promise<MetricsListening> {
  const server = createServer(limits, (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    if (health.handle(request, response, path)) return;
    const problem = new Problem('not-found');
    response.writeHead(problem.status, problem.headers()).end(problem.body());
  });
  try {
    server.listen(address.port, address.host);
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, 'METRICS_LISTEN', address);
  }
  const { port, address: host, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
