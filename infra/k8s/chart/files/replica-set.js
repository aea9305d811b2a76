// The health of the database, and its beginning: a mongod that belongs to no replica set yet makes one of itself (docs/adr/0034: without
// one, accepted messages could be lost), and one without users gets its two: `admin` for the operator, `sealwire` for the servers. Run by
// mongosh in the container, on its own mongod, with the passwords of first-start.sh. In a cluster: infra/k8s/chart/files, a copy.
const { readFileSync } = require('node:fs');
const password = (name) => readFileSync(`/run/sealwire/mongo/${name}.password`, 'utf8').trim();
const AUTHENTICATION_FAILED = 18;
// By which name its clients find it.
const member = process.env.MEMBER ?? 'mongo:27017';
const admin = db.getSiblingDB('admin');

if (!db.hello().setName) rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: member }] });
if (!db.hello().isWritablePrimary) quit(1);
try {
  admin.auth('admin', password('admin'));
} catch (error) {
  if (error.code !== AUTHENTICATION_FAILED) throw error;
  // mongod allows it to its own machine, and only as long as it has no user.
  admin.createUser({ user: 'admin', pwd: password('admin'), roles: ['root'] });
  admin.auth('admin', password('admin'));
}
if (!admin.runCommand({ usersInfo: 'sealwire' }).users?.length)
  admin.createUser({ user: 'sealwire', pwd: password('servers'), roles: [{ role: 'readWrite', db: 'sealwire' }] });
