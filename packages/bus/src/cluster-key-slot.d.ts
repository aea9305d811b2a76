/** The package brings no types. */
declare module 'cluster-key-slot' {
  /** CRC16 of the key (or of what its braces enclose) modulo 16384, as the Redis Cluster specification says. */
  export default function slotOf(key: string): number;
}
