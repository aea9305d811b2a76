/** Files and folders for their owner only, as far as the file system knows owners. */
import { chmodSync, statSync } from 'node:fs';

/** What chmod says where permissions are the mount's: exFAT, SMB, FUSE. */
const NOT_TO_BE_SET = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];
/** Mounts belong to root unless told otherwise. */
const ROOT = 0;

/**
 * Gives `path` the permissions `mode`. Where the file system has none to give it stays as it is; a path that belongs to another user
 * is an error, as everything else that `node:fs` throws.
 */
export function makePrivate(path: string, mode: 0o600 | 0o700): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    const ours = [process.getuid?.(), ROOT].includes(statSync(path).uid);
    if (!ours || !NOT_TO_BE_SET.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Whether others than the owner may do anything with `path`. Always false on Windows, whose modes say nothing of that. */
export function isOpenToOthers(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
}
