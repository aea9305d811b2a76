/**
 * From the bytes of a device id to its one string, without making and checking that string again for each message: a direct-mapped
 * table, so it is bounded and has no bookkeeping. A hit also hands out the very same string object, whose hash every `Map` behind the
 * decoder has already computed. Whoever floods it with ids of its own makes others miss, and a miss is only slower.
 */
import { type DeviceId, parseDeviceId } from './ids.ts';
import { LIMITS } from './limits.ts';
import type { Reader } from './protobuf/reader.ts';

const SLOTS = 4096; // a power of two; about 0.5 MiB when full of common ids
/** Of the name and of the end, where ids differ. */
const HASHED_BYTES = 8;
const NAME_AT = 'sip:'.length;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class DeviceIdCache {
  private readonly slots: (DeviceId | undefined)[] = new Array(SLOTS).fill(undefined);

  /** The id from `start` to `end` of `input`. Throws `WireError` `bad-device-id`, or `TypeError` when it is not UTF-8. */
  readonly parse = (input: Uint8Array, start = 0, end = input.length): DeviceId => {
    // FNV-1a. Its quality does not matter: a collision is a miss.
    let hash = 0x811c9dc5;
    const name = Math.min(start + NAME_AT, end);
    for (let i = name; i < name + HASHED_BYTES && i < end; i++) hash = Math.imul(hash ^ input[i]!, 0x01000193);
    for (let i = Math.max(start, end - HASHED_BYTES); i < end; i++) hash = Math.imul(hash ^ input[i]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.slots[slot];
    if (known !== undefined && isTextOf(known, input, start, end)) return known;
    const device = parseDeviceId(utf8.decode(input.subarray(start, end)));
    // Only where a character is a byte can `isTextOf` compare without decoding.
    if (device.length === end - start) this.slots[slot] = device;
    return device;
  };
}

/** A field that is a device id; through `cache` if there is one. */
export function readDeviceId(reader: Reader, cache?: DeviceIdCache): DeviceId {
  if (!cache) return reader.parsed(parseDeviceId, LIMITS.deviceIdBytes.value);
  try {
    return reader.within(LIMITS.deviceIdBytes.value, cache.parse);
  } catch {
    return reader.fail('not a device id');
  }
}

function isTextOf(text: string, input: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== input[start + i]) return false;
  return true;
}
