import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../observe/metrics.ts';
import { trustedProxies } from './client-address.ts';
import { capConnections } from './connection-cap.ts';

class Peer extends EventEmitter {
  destroyed = false;
  constructor(readonly remoteAddress: string) {
    super();
  }
  destroy() {
    this.destroyed = true;
    this.emit('close');
  }
}

function server(perAddress: number) {
  const emitter = new EventEmitter();
  const metrics = createMetrics();
  capConnections(emitter, { perAddress, proxies: trustedProxies(['10.0.0.0/8']), metrics });
  const connect = (address: string) => {
    const peer = new Peer(address);
    emitter.emit('connection', peer);
    return peer;
  };
  return { connect, metrics };
}

describe('H04: connections of one address', () => {
  it('beyond the cap are closed and counted; one that ends makes room; others are not affected', async () => {
    const { connect, metrics } = server(2);
    const first = connect('203.0.113.9');
    expect(connect('::ffff:203.0.113.9').destroyed).toBe(false);
    expect(connect('203.0.113.9').destroyed).toBe(true);
    expect(connect('203.0.113.10').destroyed).toBe(false);
    first.destroy();
    expect(connect('203.0.113.9').destroyed).toBe(false);
    expect(connect('203.0.113.9').destroyed).toBe(true);
    expect(await metrics.text()).toContain('sealwire_ratelimit_rejections_total{limiter="connections"} 2');
  });

  it('count an IPv6 /64 as one', () => {
    const { connect } = server(1);
    expect(connect('2001:db8:1:2::1').destroyed).toBe(false);
    expect(connect('2001:db8:1:2::2').destroyed).toBe(true);
    expect(connect('2001:db8:1:3::1').destroyed).toBe(false);
  });

  it('do not count for loopback and trusted proxies, nor with a cap of 0', () => {
    for (const address of ['127.0.0.1', '::1', '10.1.2.3', '::ffff:127.0.0.1']) {
      const { connect } = server(1);
      expect([connect(address), connect(address)].some(({ destroyed }) => destroyed)).toBe(false);
    }
    const { connect } = server(0);
    expect([connect('203.0.113.9'), connect('203.0.113.9')].some(({ destroyed }) => destroyed)).toBe(false);
  });
});
