/** Whose request is it, for limiters: the peer of the socket, or what trusted proxies say of it. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

export interface TrustedProxies {
  trusts(address: string): boolean;
}

/** `ranges`: addresses and CIDR ranges, as `settings.ts` parsed them. */
export function trustedProxies(ranges: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return { trusts: (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

/**
 * The nearest address in front of the trusted proxies. `X-Forwarded-For` counts only as far as trusted proxies wrote it, from the right:
 * everything left of the first untrusted address is what a stranger claims (case H12).
 */
export function clientAddress(request: IncomingMessage, proxies: TrustedProxies): string {
  let address = plainIpv4(request.socket.remoteAddress ?? '');
  if (!proxies.trusts(address)) return address;
  const header = request.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  for (let hop = hops.pop(); hop !== undefined; hop = hops.pop()) {
    const candidate = plainIpv4(hop.trim());
    if (isIP(candidate) === 0) break;
    address = candidate;
    if (!proxies.trusts(address)) break;
  }
  return address;
}

/** The key that limiters count by: an IPv4 address, or the /64 that one IPv6 customer owns. */
export function limiterKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const groups =
    tail === undefined
      ? left
      : [...left, ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function plainIpv4(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
