/** How a file is shown in a line. */
import { byteCount } from './byte-count.ts';

/** `photo.jpg (image/jpeg, 1.2 MiB)` */
export function fileTitle({
  name,
  type,
  size,
}: {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}): string {
  return `${name} (${type}, ${byteCount(size)})`;
}
