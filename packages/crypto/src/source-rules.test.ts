/**
 * Rules about cryptography that hold for the whole repository and that no linter knows (case F15): they read the sources of all
 * packages and apps. Each rule carries a violation, and the first tests show that it is found.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

interface Rule {
  readonly reason: string;
  readonly pattern: RegExp;
  /** Paths from the repository's root that may do it. */
  readonly except: RegExp;
  readonly violation: string;
}

/** A name that ends in what must be compared in constant time. */
const SECRET_NAME = String.raw`\b(\w*(Secret|Tag|Mac|Digest|PrivateKey|Seed)|secret|tag|mac|digest|privateKey|seed)\b`;

const RULES: readonly Rule[] = [
  {
    reason: 'Math.random is predictable; take a RandomBytes',
    pattern: /\bMath\s*\.\s*random\b/,
    except: /^packages\/crypto\/src\/source-rules\.test\.ts$/,
    violation: 'const id = Math.random();',
  },
  {
    reason: 'primitives come through the port of packages/crypto',
    pattern: /from\s+'@noble\/(curves|ciphers|post-quantum)/,
    except: /^packages\/crypto\/src\//,
    violation: "import { ed25519 } from '@noble/curves/ed25519.js';",
  },
  {
    reason: 'noble takes small-order Ed25519 keys unless told otherwise',
    pattern: /'@noble\/curves\/.*[^.\w]ed(25519(ctx|ph)?|448)\.verify\((?![^;]*zip215: false)/s,
    except: /^packages\/crypto\/src\/[\w-]+\.test\.ts$/,
    violation:
      "import { ed25519 } from '@noble/curves/ed25519.js';\nexport const ok = ed25519.verify(sig, message, key);",
  },
  {
    reason: 'secrets are compared by CryptoProvider.equal, which takes the same time for all of them',
    pattern: new RegExp(String.raw`${SECRET_NAME}\s*[!=]==?\s*(?!undefined|null|true|false)[a-z]`),
    // What messages of a chain, and a drill's manifests, are known by is in the peer's own hands, and no secret.
    except: /\.test\.ts$|^packages\/client\/src\/messages\/chain\/|^apps\/drill\/src\/judging\//,
    violation: 'if (tag === expectedTag) return;',
  },
  {
    reason: 'suites are data: tables and settings name them, no code path does',
    pattern: /'c(25519|448)(mlk\d+)?'/,
    except: new RegExp(
      [
        String.raw`\.test\.ts$`,
        '/testing/',
        '^packages/testkit/',
        '^packages/light/src/account',
        '^packages/store/src/contract/',
        String.raw`^packages/crypto/src/(port|lime-suites)\.ts$`,
        String.raw`^packages/store/src/lmdb/records/keys\.ts$`,
        String.raw`^packages/client/src/client-options\.ts$`,
        String.raw`^apps/cli/src/enter-account\.ts$`,
      ].join('|'),
    ),
    violation: "const length = curve === 'c448' ? 57 : 32;",
  },
];

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Every TypeScript file below packages/NAME/src and apps/NAME/src, as a path from the root. */
function sourcePaths(): string[] {
  const members = ['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(ROOT, kind)).map((name) => `${kind}/${name}`),
  );
  return members
    .map((member) => `${member}/src`)
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((path) => `${folder}/${path}`))
    .filter((path) => path.endsWith('.ts'));
}

describe('F15: cryptography in the sources of the repository', () => {
  it.each(RULES)('the rule can fail: $reason', ({ pattern, violation }) => {
    expect(violation).toMatch(pattern);
  });

  it('the walk sees this package and its neighbours', () => {
    const packages = new Set(sourcePaths().map((path) => path.split('/').slice(0, 2).join('/')));
    expect(sourcePaths()).toContain('packages/crypto/src/port.ts');
    expect(packages.size).toBeGreaterThan(1);
  });

  it.each(RULES)('$reason', ({ pattern, except }) => {
    const offenders = sourcePaths()
      .filter((path) => !except.test(path))
      .filter((path) => pattern.test(readFileSync(join(ROOT, path), 'utf8')));
    expect(offenders).toEqual([]);
  });
});
