/**
 * An engine's place among the records of a device: it sees its own table and nothing else, whatever keys it asks for. LIME's tables are
 * older than such places, and have names of their own.
 */
import type { Records, Transaction } from '../storage/ledger.ts';
import type { EngineContext } from './engine.ts';

const WITHOUT_PLACE = 'lime';

export function ownRecords(records: Records, engine: string): Records {
  return engine === WITHOUT_PLACE ? records : within(records, tableOf(engine));
}

export function ownTransaction(transaction: Transaction, engine: string): Transaction {
  return engine === WITHOUT_PLACE ? transaction : transactionWithin(transaction, tableOf(engine));
}

export function ownContext(context: EngineContext, engine: string): EngineContext {
  return {
    ...context,
    records: ownRecords(context.records, engine),
    commit: (work) => context.commit((transaction) => work(ownTransaction(transaction, engine))),
  };
}

const tableOf = (engine: string) => `engine-${engine}/`;

function within(records: Records, table: string): Records {
  return {
    get: (key) => records.get(table + key),
    keys: (prefix) => records.keys(table + prefix).map((key) => key.slice(table.length)),
  };
}

function transactionWithin(transaction: Transaction, table: string): Transaction {
  return {
    ...within(transaction, table),
    set: (key, value) => transaction.set(table + key, value),
    delete: (key) => transaction.delete(table + key),
    nested: (work) => transaction.nested((inner) => work(transactionWithin(inner, table))),
  };
}
