/** The other process of `folder-storage.test.ts`: writes pairs of records for ever, and says each number once it is durable. */
import { FolderStorage } from '../node/folder-storage.ts';

const storage = FolderStorage.open(process.argv[2]!);
await storage.load();
for (let n = 0; ; n++) {
  const value = Uint8Array.of(n & 255);
  await storage.write([
    { key: `n/${n}`, value },
    { key: `twice/${n}`, value },
  ]);
  process.stdout.write(`${n}\n`);
}
