/**
 * The part of a browser that the SDK touches, as types of our own: this repository is compiled
 * without the DOM's, so that no server names a window by accident. Indexed Database API 3.0, Web
 * Locks API, Storage Standard, WebSockets Standard.
 */

export interface DatabaseRequest<T> {
  readonly result: T;
  readonly error: Error | null;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

export interface ObjectStore {
  put(value: Uint8Array, key: string): unknown;
  delete(key: string): unknown;
  get(key: string): DatabaseRequest<unknown>;
  getAllKeys(): DatabaseRequest<readonly unknown[]>;
  getAll(): DatabaseRequest<readonly unknown[]>;
}

export interface DatabaseTransaction {
  readonly error: Error | null;
  objectStore(name: string): ObjectStore;
  abort(): void;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
}

export interface Database {
  readonly objectStoreNames: { contains(name: string): boolean };
  createObjectStore(name: string): unknown;
  transaction(
    stores: string | readonly string[],
    mode: 'readonly' | 'readwrite',
    options?: { readonly durability: 'strict' },
  ): DatabaseTransaction;
  close(): void;
  /** Somebody wants to delete it, or to open a newer version. */
  onversionchange: (() => void) | null;
  /** The browser has closed it: its files are gone, or broken. */
  onclose: (() => void) | null;
}

export interface DatabaseFactory {
  open(name: string, version: number): DatabaseRequest<Database> & { onupgradeneeded: (() => void) | null };
}

export interface LockManager {
  /**
   * Settles with `held`, which is called once the lock is ours; rejects when `signal` fires before
   * that, or the lock is stolen.
   */
  request(name: string, options: { readonly signal: AbortSignal }, held: () => Promise<void>): Promise<unknown>;
}

export interface PageSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly protocol: string;
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(bytes: Uint8Array): void;
  close(code?: number): void;
}

export type PageSocketClass = new (url: string, subprotocol: string) => PageSocket;

/**
 * What a page or a worker has; where it is not served by https, or by this machine itself, there
 * are no locks.
 */
export interface Browser {
  readonly indexedDB?: DatabaseFactory;
  readonly navigator?: {
    readonly locks?: LockManager;
    readonly storage?: { persist(): Promise<boolean> };
  };
  readonly WebSocket: PageSocketClass;
}

export const browser = globalThis as unknown as Browser;
