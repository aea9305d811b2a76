/** Values that liblime 5.3.105 stored, recomputed by an independent model (lime-protocol section 14). */
import { describe, expect, it } from '@jest/globals';
import { hexToBytes as hex } from '@noble/hashes/utils.js';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import type { CurveName } from './port.ts';

interface Conversion {
  readonly curve: CurveName;
  readonly seed: string;
  readonly publicKey: string;
  readonly dhPrivate: string;
  readonly dhPublic: string;
}

const CONVERSIONS: readonly Conversion[] = [
  {
    curve: 'c25519',
    seed: '951dead4371a435f2eb57494f58b267e9ae2e34c1972317edc5f64ed6c585896',
    publicKey: '185120f061efac902a83030285f5d5a19b55a77572ed9e8a6642047d0e694fc3',
    dhPrivate: '208c5fed63364012e7191d96f8f41065dbea66789106a70cd2e7aea80825b86c',
    dhPublic: '26366b649b85463faa8131861280c3023e29bd38d0cd380272931ce651a46078',
  },
  {
    curve: 'c25519',
    seed: 'e6689841fcfc03948139feebc5ac1e7bc4d9c925e3ac995628e086e0b8a002e1',
    publicKey: 'b3997dad6a434d2213a41ed3f86209a6806c37b128187b21af72655409c950e3',
    dhPrivate: 'e44e71af17e04885363836a7d8e34e5eec0a132a160e88ea7905030bfc8c574e',
    dhPublic: 'e9923959485fc6b365510fe33d5d2084d6f0ddf38409193ff8a6440ca115de15',
  },
  {
    curve: 'c25519',
    seed: '99cbc2a463f669712de55d98c4a357c4205bb6254dad587cc3f77e6cfd15261e',
    publicKey: '8dae8c1d0d66e54e28ced3b9938455f307654d32a9ffbd6b8cdc43d6bb664bba',
    dhPrivate: '3b7d450099c0579d54d329b3d1f574cbb13ea7a9118f8308e76989a08eb655ac',
    dhPublic: 'd23a8855b628165c4cdd234a6b620164da5e27ca524d7d250bb2f98d713c946b',
  },
  {
    curve: 'c448',
    seed: '0af7ac1ba79ff6017b8e2ec9e0b21a60fae709fbb0bce706aca2099cc7c6f7caa2f6dbdd45a7f7cbb81062f186fb3e94fab04a6ac511ebfcaf',
    publicKey:
      'bdddb0d2d81e1d5d47a94a7ed1519ce6ad946af3b845d30b3ad67a05f4d6a91aca0c05a7b436a64aef2dfb4630c06d9d83486acf88d2149080',
    dhPrivate:
      '2008e83af12c18a4a8ca29593790764b9d41434837c0d7552cdb999341b9a5e2336ead3d377ffead718e59e415e382bb325d77b2b712bfe0',
    dhPublic:
      '439d17cac93759edd74bdf7fed19c834dbf8c032f385811af354b5304b994fd64ed3014bea43129336487c2e16240b7d33b23c0f15cef0ee',
  },
  {
    curve: 'c448',
    seed: '8fb45bce18fe0bb39986652fbc378da3e3e7dcf224c7cf73cba46029fcc65854acc4620378346cd88345878eab3a4838b8c87885f562bc1302',
    publicKey:
      '369d8a2528528e330cd5c1030220fc143af4bdbe84c4aa5a9719dfc9f7b2262d618695afdc24e222583479d3a89ba0f824f58c88e0884a5a80',
    dhPrivate:
      '5b31aab98376bb958d508b3697ccde87a25483b83efdb4539b8825c4e063b51b70d74b9724a7bec96cdfff882d3dbcf78caf3ec5c1978b64',
    dhPublic:
      'a1dcc0898dffe0886bcc9ed1f048b9ca6a6b8d9b9909ba1ea5de9bb7502db23025f5456b0d1479590c402935ac06ab609bd255a9f432f40b',
  },
  {
    curve: 'c448',
    seed: 'e26d8df425b1c508c400b640cdb8c741b4cd0eeb6e86e4169258ccac3bd2052ff854f3cac2369529be39584473bdb50d60b4ecd1025cbc0aff',
    publicKey:
      'be9655e7f9fb0525eab53dc52e7598f494854e0038c8111be4e56e8ed087ce98c8216d49817ce4be40aa534fb3607dff2e71974dd230ad2e00',
    dhPrivate:
      '717ccdd9b99443c80ba820b814f3033498d23b464ef55c29028bc40b660eb369701dc7e5cb8e72103ba86ae79f24eef96a8aa2159d102bde',
    dhPublic:
      'e5a90b7db02f2b47d6fb964a4214f5763259781299146df2d9308a437795951d4a901d7ac5b0902739e10bc35f2c57d2f8efa61408c9e0eb',
  },
];

/** Made by liblime over the bare signed prekey. */
const PREKEY_SIGNATURES = [
  {
    curve: 'c25519',
    seed: 'e6689841fcfc03948139feebc5ac1e7bc4d9c925e3ac995628e086e0b8a002e1',
    publicKey: 'b3997dad6a434d2213a41ed3f86209a6806c37b128187b21af72655409c950e3',
    prekey: '1b3a3aa7949d65159e551c130de18388769af58eef23fb2a82bcbc3043b07906',
    signature:
      '0222a45614d9dee9288ec8755ac2f0d45c674a669677a3788448f5e1367743feedf42bbe53b3b46d6883f07bc65ca10f220036e884ab1ecb4d8af18a12dd290a',
  },
  {
    curve: 'c448',
    seed: '8fb45bce18fe0bb39986652fbc378da3e3e7dcf224c7cf73cba46029fcc65854acc4620378346cd88345878eab3a4838b8c87885f562bc1302',
    publicKey:
      '369d8a2528528e330cd5c1030220fc143af4bdbe84c4aa5a9719dfc9f7b2262d618695afdc24e222583479d3a89ba0f824f58c88e0884a5a80',
    prekey:
      '58e38212694d7998288e6515b02043411677fd7f4a39204609e4c4eaa982b7db703477a060e7a45426c748c698e5589ddc842aee34df6d86',
    signature:
      'e45a1b338a26aae035c1959011ac55b9b44941208634f140aa93111cd976c9f69792b6c3cd5176b47c2c0db69d0178c66a06baf5e4f1cd6300bdfbc99df400a77af0f7114f04d9385bb80b3524109edf5b87a075134ad01d4e949f8870d14dc207bb88f4089dce10a985b71bcf9b209f3100',
  },
] as const;

describe.each([nobleCrypto(), nodeCrypto()])('LIME suites of $name', (crypto) => {
  it.each(CONVERSIONS)('identity key to DH key on $curve, $seed', ({ curve, seed, publicKey, dhPrivate, dhPublic }) => {
    const lime = crypto.suites[curve];
    expect(lime.signatures.publicKey(hex(seed))).toEqual(hex(publicKey));
    expect(lime.identityToDhPrivate(hex(seed))).toEqual(hex(dhPrivate));
    expect(lime.identityToDhPublic(hex(publicKey))).toEqual(hex(dhPublic));
    expect(lime.dh.publicKey(hex(dhPrivate))).toEqual(hex(dhPublic));
  });

  it.each(PREKEY_SIGNATURES)(
    "liblime's signature of its prekey on $curve",
    ({ curve, seed, publicKey, prekey, signature }) => {
      const { signatures } = crypto.suites[curve];
      expect(signatures.verify(hex(publicKey), hex(prekey), hex(signature))).toBe(true);
      expect(signatures.sign(hex(seed), hex(prekey))).toEqual(hex(signature));
    },
  );
});
