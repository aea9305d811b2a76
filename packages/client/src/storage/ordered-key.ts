/** Keys of tables that are queues: `table/NUMBER`, padded so that code-unit order is numeric order. */
const DIGITS = 16;

export function orderedKey(table: string, number: number): string {
  return `${table}/${String(number).padStart(DIGITS, '0')}`;
}

export function numberOf(key: string): number {
  return Number(key.slice(key.indexOf('/') + 1));
}
