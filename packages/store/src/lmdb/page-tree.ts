/**
 * The pages of `data.mdb`, as its file has them and without LMDB, which trusts them: whether each
 * page that the trees name is there and is what they say. The layout is that of lmdb 3 (liblmdb's
 * `MDB_page`, `MDB_node` and `MDB_db`).
 *
 * page:        u64 its number · 8 · u16 · u16 flags · u16 lower, u16 upper (overflow: u32 pages) ·
 *              of each node u16 where it begins behind these 24 bytes
 * branch node: u48 page below, u16 bytes of the key · key
 * leaf node:   u32 bytes of the value, u16 flags, u16 bytes of the key · key · value, or u64 the
 *              overflow page where it is; of a database: 40 · u64 its root
 */
import { readSync } from 'node:fs';

const HEAD_BYTES = 24;
const FLAGS_AT = 18;
const LOWER_AT = 20;
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const NODE_BYTES = 8;
const BIG_VALUE = 1;
const DATABASE = 2;
const DATABASE_BYTES = 48;
const ROOT_AT = 40;
/** The root of an empty tree. */
const NO_PAGE = -1;

/** As its newer meta page says. */
export interface DataFile {
  readonly pageSize: number;
  readonly roots: readonly number[];
  /** Pages that the newest transaction knows, some of them perhaps never written. */
  readonly pages: number;
}

/** The first fault, in words; undefined: there is none. */
export function treeFault(file: number, { pageSize, roots, pages }: DataFile): string | undefined {
  const seen = new Set<number>();
  const waiting = roots.filter((root) => root !== NO_PAGE);
  const page = Buffer.alloc(pageSize);
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (number < 0 || number >= pages || seen.has(number)) return `page ${number} is named where it cannot be`;
    seen.add(number);
    if (readSync(file, page, 0, pageSize, number * pageSize) < pageSize) return `page ${number} is missing`;
    if (Number(page.readBigUInt64LE(0)) !== number) return `page ${number} is another one`;
    const flags = page.readUInt16LE(FLAGS_AT);
    if ((flags & OVERFLOW) !== 0) {
      const last = number + page.readUInt32LE(LOWER_AT) - 1;
      if (readSync(file, page, 0, 1, (last + 1) * pageSize - 1) < 1) return `page ${last} is missing`;
    } else if ((flags & (BRANCH | LEAF)) === 0) return `page ${number} is neither branch nor leaf`;
    else if (!addChildren(page, (flags & BRANCH) !== 0, waiting)) return `page ${number} has a node that is none`;
  }
  return undefined;
}

/** False: a node lies outside of the page. */
function addChildren(page: Buffer, isBranch: boolean, waiting: number[]): boolean {
  const nodes = page.readUInt16LE(LOWER_AT) >> 1;
  if (HEAD_BYTES + 2 * nodes > page.length) return false;
  for (let i = 0; i < nodes; i++) {
    const node = HEAD_BYTES + page.readUInt16LE(HEAD_BYTES + 2 * i);
    if (node + NODE_BYTES > page.length) return false;
    if (isBranch) {
      waiting.push(page.readUIntLE(node, 6));
      continue;
    }
    const flags = page.readUInt16LE(node + 4);
    const value = node + NODE_BYTES + page.readUInt16LE(node + 6);
    const size = (flags & BIG_VALUE) !== 0 ? 8 : page.readUInt32LE(node);
    if (value + size > page.length || ((flags & DATABASE) !== 0 && size < DATABASE_BYTES)) return false;
    if ((flags & BIG_VALUE) !== 0) waiting.push(Number(page.readBigUInt64LE(value)));
    if ((flags & DATABASE) === 0) continue;
    const root = Number(page.readBigInt64LE(value + ROOT_AT));
    if (root !== NO_PAGE) waiting.push(root);
  }
  return true;
}
