/** One peer must not hold all file descriptors (case H04). Proxies and the machine itself speak for many and are excepted. */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Metrics } from '../observe/metrics.ts';
import { limiterKey, type TrustedProxies, trustedProxies } from './client-address.ts';

export interface ConnectionCap {
  /** 0: no limit. */
  readonly perAddress: number;
  readonly proxies?: TrustedProxies | undefined;
  readonly metrics: Metrics;
}

/** `server` emits `connection` with each new socket; those beyond the cap are destroyed before anything is read from them. */
export function capConnections(server: EventEmitter, { perAddress, proxies, metrics }: ConnectionCap): void {
  if (perAddress === 0) return;
  const own = trustedProxies(['127.0.0.0/8', '::1']);
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    if (own.trusts(address) || proxies?.trusts(address)) return;
    const key = limiterKey(address);
    const count = (open.get(key) ?? 0) + 1;
    if (count > perAddress) {
      metrics.rateLimitRejections.inc({ limiter: 'connections' });
      socket.destroy();
      return;
    }
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
  });
}
