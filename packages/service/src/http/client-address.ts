/** Whose request is it, for limiters: the peer of the socket, or what trusted proxies say of it. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Log } from '../observe/log.ts';

export interface TrustedProxies {
  trusts(address: string): boolean;
  /** A trusted proxy forwarded for what is no address, and counts for itself: all of its clients then share one budget. */
  misread(): void;
}

/** `ranges`: addresses and CIDR ranges, as `settings.ts` parsed them. The log is told once of a proxy that says nothing of use. */
export function trustedProxies(ranges: readonly string[], log?: Pick<Log, 'warn'>): TrustedProxies {
  let told = false;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return {
    // Most servers trust none, and to ask the list costs a twentieth of what it takes to let a socket in.
    trusts: (address) =>
      ranges.length > 0 && isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
    misread() {
      if (told) return;
      told = true;
      log?.warn('forwarded-for', {
        setting: 'TRUSTED_PROXIES',
        reason: 'a trusted proxy sends an X-Forwarded-For without an address: all of its clients count as one',
      });
    },
  };
}

/**
 * The nearest address in front of the trusted proxies. `X-Forwarded-For` counts only as far as trusted proxies wrote it, from the right:
 * everything left of the first untrusted address is what a stranger claims (case H12).
 */
export function clientAddress(request: IncomingMessage, proxies: TrustedProxies): string {
  let address = plainAddress(request.socket.remoteAddress ?? '');
  if (!proxies.trusts(address)) return address;
  const header = request.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  for (let hop = hops.pop(); hop !== undefined; hop = hops.pop()) {
    const candidate = plainAddress(addressIn(hop.trim()));
    if (isIP(candidate) === 0) {
      proxies.misread();
      break;
    }
    address = candidate;
    if (!proxies.trusts(address)) break;
  }
  return address;
}

/** Whether the peer of the socket is one of ours: what only a proxy or another server of ours may say is then believed. */
export function isFromTrusted(request: IncomingMessage, proxies: TrustedProxies): boolean {
  return proxies.trusts(plainAddress(request.socket.remoteAddress ?? ''));
}

/** Without the port and the brackets that some proxies write: `192.0.2.1:4711`, `[2001:db8::1]`, `[2001:db8::1]:4711`. */
function addressIn(hop: string): string {
  const [, bracketed, ipv4] = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(hop) ?? [];
  return bracketed ?? ipv4 ?? hop;
}

/** The key that limiters count by: an IPv4 address, or the /64 that one IPv6 customer owns. */
export function limiterKey(address: string): string {
  return prefixKey(address, 64);
}

/** The same for what somebody must not have many of by taking many /64: a site has a /48 of them (RFC 6177). */
export function networkKey(address: string): string {
  return prefixKey(address, 48);
}

function prefixKey(address: string, bits: 48 | 64): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const groups = ipaddr.IPv6.parse(plain).parts.slice(0, bits / 16);
  return `${groups.map((group) => group.toString(16)).join(':')}::/${bits}`;
}

/** The one spelling of an address; of IPv4 in IPv6, be it mapped or translated (RFC 6052), that of the IPv4 address. */
function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const parsed = ipaddr.IPv6.parse(address);
  const isIpv4 = parsed.isIPv4MappedAddress() || parsed.range() === 'rfc6052';
  return isIpv4 ? parsed.toByteArray().slice(12).join('.') : parsed.toString();
}
