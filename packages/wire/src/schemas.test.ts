/** The field tables are the published schemas: names, numbers, types, lists and enums, both ways. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import protobuf from 'protobufjs';
import { ACCOUNT_CERTIFICATE } from './account-certificate.ts';
import { CONTACT_LIST, CONTACT_RULES } from './contacts.ts';
import { CONTENT, ENVELOPE } from './envelope.ts';
import { FILE_DESCRIPTOR } from './file-descriptor.ts';
import { CLIENT_FRAMES, SERVER_FRAMES } from './frames.ts';
import { GROUP_ACTION, GROUP_EVENT, GROUP_EVENTS } from './group-event.ts';
import { GROUP_LINK } from './group-link.ts';
import { GROUP_NEWS } from './group-news.ts';
import { LINK_MESSAGE, LINK_REVEAL, LINK_WELCOME } from './linking.ts';
import { MANIFEST } from './manifest.ts';
import { NODE_MESSAGES } from './node-messages.ts';
import { type Fields, MessageType } from './protobuf/fields.ts';
import { VERIFICATION } from './verification.ts';

/** Written and read by hand: compared with the schema by `frame-codec.test.ts`, field by field. */
const BY_HAND: readonly string[] = ['Send', 'Ack', 'Accepted', 'Deliver'];
/** Behind the message, for who makes traces; all others skip it. */
const BESIDE = 'trace';

const TABLES: Record<string, Record<string, Fields>> = {
  relay: { ClientFrame: CLIENT_FRAMES.variants, ServerFrame: SERVER_FRAMES.variants },
  node: { NodeMessage: NODE_MESSAGES.variants, LinkMessage: LINK_MESSAGE.fields },
  envelope: { Envelope: ENVELOPE.fields, Content: CONTENT.fields, GroupNews: GROUP_NEWS.fields },
  file: { FileDescriptor: FILE_DESCRIPTOR.fields },
  group: {
    GroupEvent: GROUP_EVENT.fields,
    GroupAction: GROUP_ACTION.variants,
    GroupEvents: GROUP_EVENTS.fields,
    GroupLink: GROUP_LINK.fields,
  },
  manifest: { Manifest: MANIFEST.fields },
  certificate: { AccountCertificate: ACCOUNT_CERTIFICATE.fields },
  contacts: { ContactList: CONTACT_LIST.fields, ContactRules: CONTACT_RULES.fields },
  linking: { LinkReveal: LINK_REVEAL.fields, LinkWelcome: LINK_WELCOME.fields },
  verification: { Verification: VERIFICATION.variants },
};

/** Where a name of ours is not that of the schema in another spelling. */
const RENAMED: Record<string, string> = {
  'ephemeral-deliver': 'ephemeral',
  retryAfterMs: 'retry_after',
  suite: 'curve',
  c25519k512: 'c25519_kyber512',
  c25519mlk512: 'c25519_mlkem512',
  c448mlk1024: 'c448_mlkem1024',
};

type Described = Record<string, { number: number; repeated: boolean; type: unknown }>;

function describeTable(fields: Fields): Described {
  const described = Object.entries(fields).map(([name, field]) => {
    const { number, type } = field;
    return [schemaName(name), { number, repeated: 'most' in field, type: describeType(type) }] as const;
  });
  const numbers = described.map(([, { number }]) => number);
  // Written in this order: what is canonical is ascending.
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  return Object.fromEntries(described);
}

function describeType(type: Fields[string]['type']): unknown {
  if (typeof type === 'string') return type;
  if (type instanceof MessageType) return describeTable(type.fields);
  return Object.fromEntries(
    [...type.entries()].flatMap(([number, name]) => (name ? [[schemaName(name), number]] : [])),
  );
}

function schemaName(name: string): string {
  return RENAMED[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');
}

function describeSchema(message: protobuf.Type, reached: Set<string>): Described {
  reached.add(message.name);
  const fields = message.fieldsArray
    .map((field) => field.resolve())
    .filter(({ name, type }) => !BY_HAND.includes(type) && name !== BESIDE);
  return Object.fromEntries(
    fields.map(({ name, id, repeated, type, resolvedType }) => {
      if (resolvedType) reached.add(resolvedType.name);
      const described =
        resolvedType instanceof protobuf.Type
          ? describeSchema(resolvedType, reached)
          : resolvedType
            ? describeEnum(resolvedType)
            : type;
      return [name, { number: id, repeated, type: described }];
    }),
  );
}

/** `LANE_BOTH` of `Lane` is `both`; a value that never travels has no name of ours. */
function describeEnum({ name, values }: protobuf.Enum): Record<string, number> {
  const prefix = name.replace(/\B[A-Z]/g, (letter) => `_${letter}`).length + 1;
  return Object.fromEntries(
    Object.entries(values)
      .map(([value, number]) => [value.slice(prefix).toLowerCase(), number] as const)
      .filter(([value]) => value !== 'unspecified'),
  );
}

describe.each(Object.entries(TABLES))('%s.proto', (file, tables) => {
  const source = readFileSync(new URL(`../proto/${file}.proto`, import.meta.url), 'utf8');
  const { root } = protobuf.parse(source, { keepCase: true });
  const schema = root.lookup('sealwire.v1') as protobuf.Namespace;
  const reached = new Set<string>();
  const pairs = Object.entries(tables).map(
    ([name, table]) => [name, table, describeSchema(schema.lookupType(name), reached)] as const,
  );

  it.each(pairs)('%s and all that is in it are the field table', (_name, table, described) => {
    expect(describeTable(table)).toEqual(described);
  });

  it('has nothing that no table has, but what is written by hand', () => {
    const names = schema.nestedArray.map(({ name }) => name).filter((name) => !BY_HAND.includes(name));
    expect([...reached].toSorted()).toEqual(names.toSorted());
  });
});
