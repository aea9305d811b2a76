import { storeContract } from './contract.ts';
import { openWeakestStore } from './testing/weakest.ts';

storeContract('the weakest that the port allows', async () => {
  const { store, steps } = openWeakestStore();
  return { store, steps, close: () => store.close() };
});
