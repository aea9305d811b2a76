// The floors of the house (docs/architecture.md section 3), as rules. Each comment is the reason that a violation prints.
const floors = {
  wire: ['crypto'],
  lime: ['wire', 'crypto'],
  verification: ['wire', 'crypto'],
  nes: [],
  membership: ['wire', 'crypto'],
  mail: ['wire'],
  store: ['wire', 'crypto'],
  bus: ['wire', 'crypto'],
  client: ['lime', 'membership', 'cpim', 'verification', 'wire', 'crypto'],
  light: ['client', 'wire', 'crypto'],
  blobs: [],
  service: ['bus', 'mail', 'wire', 'crypto'],
  access: ['service', 'bus', 'wire', 'crypto'],
};

const floorRules = Object.entries({ crypto: [], cpim: [], ...floors }).map(([name, below]) => ({
  name: `floor-${name}`,
  comment: `packages/${name} may import ${below.length ? below.join(', ') : 'no other workspace'}: siblings and higher floors would make a cycle of knowledge`,
  severity: 'error',
  from: { path: `^packages/${name}/(src|bench)/` },
  to: { path: '^(packages|apps)/', pathNot: `^packages/(${[name, ...below].join('|')})/` },
}));

const appFloor = (name, may) => ({
  name: `app-${name}`,
  comment: `apps/${name} may import ${may.join(', ')}: apps meet over the wire, never by import`,
  severity: 'error',
  from: { path: `^apps/${name}/(src|bench)/` },
  to: { path: '^(packages|apps)/', pathNot: `^(apps/${name}/|packages/(${may.join('|')})/)` },
});

const driver = (name, modules, homes, why) => ({
  name: `driver-${name}`,
  comment: `${modules} belongs to ${homes}: ${why}`,
  severity: 'error',
  from: { path: '^(packages|apps)/', pathNot: `^(${homes})` },
  to: { path: `node_modules/(${modules})(/|$)` },
});

const servers = ['access', 'service', 'wire', 'crypto', 'store', 'bus'];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'a cycle means that neither file can be understood alone',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'servers-cannot-decrypt',
      comment: 'servers cannot decrypt because they cannot import: the ratchet and the SDK stay on the clients’ side',
      severity: 'error',
      from: {
        path: '^(apps/(api|relay|directory|solo|server)|packages/(store|bus|blobs|service|access))/',
        pathNot: '\\.test\\.ts$',
      },
      to: { path: '^packages/(lime|client|light)/' },
    },
    {
      name: 'servers-cannot-reach-the-ratchet',
      comment:
        'no file of a server leads to the ratchet, over however many others: the drill is a client, and a process that became it is no server',
      severity: 'error',
      from: {
        path: '^(apps/(api|relay|directory|solo|server)|packages/(store|bus|service|access))/src/',
        pathNot: '^apps/server/src/(main|commands)\\.ts$|\\.test\\.ts$|/testing/',
      },
      to: { path: '^(packages/(lime|client|light)|apps/(drill|load))/', reachable: true },
    },
    {
      name: 'servers-open-no-message-of-nes',
      comment: 'the provider of NES hands out public keys: what opens a message stays on the clients’ side',
      severity: 'error',
      from: { path: '^apps/(api|relay|directory|solo|server)/src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/nes/src/(message|primitives|unpadding)\\.ts$', reachable: true },
    },
    {
      name: 'drill-against-starts-nothing',
      comment:
        'what the container image runs has no database, Redis or nginx to start: the cluster is loaded by `npm run drill` alone',
      severity: 'error',
      from: { path: '^apps/drill/src/against\\.ts$' },
      to: { path: '^apps/drill/src/cluster/(cluster|embedded|front|ports)\\.ts$', reachable: true },
    },
    ...floorRules,
    appFloor('api', [...servers, 'blobs', 'mail']),
    appFloor('directory', [...servers, 'mail', 'nes']),
    appFloor('relay', servers),
    appFloor('cli', ['client', 'lime', 'nes', 'wire', 'crypto']),
    appFloor('drill', ['light', 'client', 'wire', 'crypto']),
    // Its tests have a server in their own process: which of its files may see that, `testkit-in-tests-only` says.
    appFloor('load', ['light', 'client', 'wire', 'crypto', 'testkit', 'blobs']),
    {
      name: 'app-solo',
      comment:
        'solo composes the three servers through their `start`, their settings and their commands: nothing else of theirs',
      severity: 'error',
      from: { path: '^apps/solo/src/' },
      to: {
        path: '^apps/(api|directory|relay)/',
        pathNot: '^apps/[a-z]+/src/(start|settings|config|invite|reset-account)\\.ts$',
      },
    },
    {
      name: 'app-server',
      comment:
        'the one entry becomes a server by its `main`, a drill of a deployment by its command, or composes the three as solo does, by settings and solo’s `start`',
      severity: 'error',
      from: { path: '^apps/server/src/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^apps/(api|directory|relay|solo|drill)/',
        pathNot:
          '^apps/((api|directory|relay)/src/(main|settings|config)|api/src/admin/offline|solo/src/start|drill/src/against)\\.ts$',
      },
    },
    {
      name: 'testkit-in-tests-only',
      comment: 'the testkit starts whole constellations: it is no part of the product',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: '^packages/testkit/|\\.test\\.ts$' },
      to: { path: '^packages/testkit/' },
    },
    {
      name: 'no-tests-in-product',
      comment: 'product code does not import tests',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: '\\.test\\.ts$' },
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'test-support-in-tests-only',
      comment: 'what helps tests (seeded randomness, fakes, self-signed certificates) is no part of the product',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: '\\.test\\.ts$|/(testing|bench)/|^packages/testkit/' },
      to: { path: '^(packages|apps)/[a-z]+/src/testing/' },
    },
    {
      name: 'pure-lime',
      comment: 'LIME is pure and synchronous: no I/O, no Node built-in, no clock',
      severity: 'error',
      from: { path: '^packages/(lime|membership|wire|verification)/src/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'cpim-core-runs-anywhere',
      comment:
        'the formats are pure: zlib, which only a program that carries SIP needs, lives in packages/cpim/src/node',
      severity: 'error',
      from: { path: '^packages/cpim/src/', pathNot: '^packages/cpim/src/node/|\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sdk-core-runs-anywhere',
      comment: 'the SDK’s core has no Node built-in: what needs Node lives in packages/client/src/node',
      severity: 'error',
      from: { path: '^packages/client/src/', pathNot: '^packages/client/src/node/|\\.test\\.ts$|/testing/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'node-crypto-in-one-file',
      comment:
        'node:crypto enters through the crypto port; its provider is the one file that knows it; but for the RSA of NES, which nothing else may use, and the dates of a certificate',
      severity: 'error',
      from: {
        path: '^(packages|apps)/[a-z]+/src/',
        pathNot:
          '^packages/crypto/src/node(-ml-kem)?\\.ts$|^packages/nes/src/(primitives|signature|keys|replay-memory)\\.ts$|^packages/service/src/http/tls-files\\.ts$|\\.test\\.ts$|/testing/',
      },
      to: { path: '^(node:)?crypto$', dependencyTypes: ['core'] },
    },
    driver(
      'lmdb',
      'lmdb',
      'packages/store|packages/client/src/node',
      'a database document never leaves its adapter; the SDK’s folder on disk has its own',
    ),
    driver(
      'ws',
      'ws',
      'apps/relay|packages/client/src/(node|testing)|apps/load/src/(agents|peers)',
      'sockets are the relay’s; the SDK’s Node transport is its other end, and load testers have their own',
    ),
    driver(
      'nest',
      '@nestjs',
      'apps/api|apps/directory|packages/service/src/nest',
      'no framework on the relay’s path or in a package’s heart',
    ),
    driver('noble', '@noble', 'packages/crypto', 'one port, two providers: the strict wrapper cannot be bypassed'),
    driver(
      'jose',
      'jose',
      'packages/access|apps/directory/src/foreign',
      'tokens of devices are checked in one way, those of other directories in one other',
    ),
    driver(
      'nodemailer',
      'nodemailer|smtp-server',
      'packages/mail',
      'who sends a mail knows a port, and no server of mail',
    ),
    driver('saxes', 'saxes', 'packages/cpim', 'XML is read in one place, without document types and bounded'),
    driver(
      'aws',
      '@aws-sdk|@smithy',
      'packages/blobs',
      'an S3 server is one of two places for files, behind their port',
    ),
    driver(
      'opentelemetry',
      '@opentelemetry',
      'packages/service/src/observe/otlp-tracing\\.ts',
      'traces are made in one place, which is loaded where they are switched on',
    ),
    {
      name: 'tracing-is-loaded-when-it-is-on',
      comment:
        'the library of traces is imported by who was told of a collector, and never on the way of a server without one',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/service/src/observe/otlp-tracing\\.ts$', dependencyTypesNot: ['dynamic-import'] },
    },
    driver('argon2', '@node-rs', 'apps/cli', 'only the command line has passphrases'),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules/\\.cache)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@sealwire/source', 'import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js'],
    },
  },
};
