// The health of the database, and its beginning: a mongod that belongs to no replica set yet makes one of itself (docs/adr/0034: without
// one, accepted messages could be lost). Run by mongosh in the container, on its own mongod.
if (!db.hello().setName) rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongo:27017' }] });
if (!db.hello().isWritablePrimary) quit(1);
