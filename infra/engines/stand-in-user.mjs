// Where a MongoDB-protocol server of this machine stands in for mongod: what replica-set.js does there, on the server's open door, so that its
// guarded one lets in who has the password that the first start made.   node stand-in-user.mjs [forget]
//   DATABASE   of the servers, and the name of their user; `forget` drops both: they are the machine's, and stay when the volumes go
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// Of the image of the servers, in which this runs.
const { mongo } = createRequire('/srv/sealwire/packages/store/package.json')('mongoose');
const { DATABASE: name } = process.env;
const client = await mongo.MongoClient.connect(
  `mongodb://${encodeURIComponent('/run/stand-ins/open.sock')}/?directConnection=true`,
);
const admin = client.db('admin');
const known = (await admin.command({ usersInfo: name })).users?.length;

if (process.argv[2] === 'forget') {
  await client.db(name).dropDatabase();
  if (known) await admin.command({ dropUser: name });
} else if (!known) {
  const pwd = readFileSync('/run/sealwire/mongo/servers.password', 'utf8').trim();
  await admin.command({ createUser: name, pwd, roles: [{ role: 'readWrite', db: name }] });
}
await client.close();
