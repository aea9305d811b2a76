/**
 * Message/CPIM (RFC 3862): message headers, an empty line, a MIME entity. The reader takes what a sender may write in more than one way
 * (order, unknown headers and namespaces, several languages, no space after the colon); the writer writes one form. Names are told apart by
 * case and by the namespace that their prefix stands for (section 3.4), never by the prefix itself.
 */
import { CpimError } from './errors.ts';
import { readHead } from './head.ts';
import { checkSize, concatenated, type MimeEntity, readEntity, writeEntity } from './mime.ts';

/** Section 3.4: where no other one is named. In a header, no `namespace` stands for it. */
const CORE_NAMESPACE = 'urn:ietf:params:cpim-headers:';

export interface CpimName {
  /** A URI; absent for the headers of RFC 3862 itself. */
  readonly namespace?: string;
  readonly name: string;
}

export interface CpimHeader extends CpimName {
  /** What stands for the namespace in this message; absent when it is the default one there. */
  readonly prefix?: string;
  /** Section 3.3. */
  readonly language?: string;
  /** As it is written, escapes and all (section 2.3): `textOf` and `addressOf` of `values.ts` read it. */
  readonly value: string;
}

export interface CpimMessage {
  /** In their order, without `NS`, which the namespaces of the others stand for. */
  readonly headers: readonly CpimHeader[];
  readonly content: MimeEntity;
}

export interface ReadCpim extends CpimMessage {
  /** Section 3.5: whoever does not know all of these must not show the message. */
  readonly required: readonly CpimName[];
}

const NAME = "[!#$%&'*+\\-^_`|~0-9A-Za-z]+";
const HEADER = new RegExp(`^(?:(${NAME})\\.)?(${NAME}):(.*)$`, 's');
const ONE_NAME = new RegExp(`^(?:(${NAME})\\.)?(${NAME})$`);
const PARAMETER = new RegExp(`;(${NAME})=("(?:[^"\\\\]|\\\\.)*"|[^\\s;"]*)`, 'sy');
const LANGUAGE = /^[A-Za-z]{1,8}(?:-[0-9A-Za-z]{1,8})*$/;
const NS = new RegExp(`^(?:(${NAME}) ?)?<([^<>\\s]+)>$`);
const VALUE = /^(?:[^\\\p{Cc}\p{Cs}]|\\(?:u[0-9A-Fa-f]{4}|[btnr"'\\]))*$/u;
/** Section 4: a second one would be another author or another time. */
const SINGLE = ['From', 'DateTime'];

const utf8 = new TextEncoder();

/** Throws `CpimError`. Linear: each byte is looked at a fixed number of times, and nothing inside is read that is not asked for. */
export function readCpim(bytes: Uint8Array): ReadCpim {
  checkSize(bytes);
  const { lines, end } = readHead(bytes, 0);
  const namespaces = new Namespaces();
  const headers: CpimHeader[] = [];
  const required: CpimName[] = [];
  for (const line of lines) {
    const [, prefix, name, rest] = HEADER.exec(line) ?? [];
    if (name === undefined || rest === undefined)
      throw new CpimError('malformed', 'a header looks like Name: value, or Prefix.Name: value');
    const namespace = namespaces.of(prefix);
    // Without a namespace nobody knows what it means: as an unknown header it is passed over.
    if (namespace === undefined) continue;
    const header = { ...named(namespace, name), ...(prefix !== undefined && { prefix }), ...parseRest(rest) };
    if (isDeclaration(namespace, prefix, name)) namespaces.declare(header.value);
    else headers.push(header);
    if (namespace === CORE_NAMESPACE && name === 'Require') required.push(...parseRequired(header.value, namespaces));
  }
  for (const name of SINGLE)
    if (headers.filter((header) => header.namespace === undefined && header.name === name).length > 1)
      throw new CpimError('duplicate', `${name} comes twice`);
  return { headers, required, content: readEntity(bytes, end) };
}

/** Throws `CpimError` `unwritable`, also for what `readCpim` would refuse. A namespace is declared before the first header that is in it. */
export function writeCpim({ headers, content }: CpimMessage): Uint8Array<ArrayBuffer> {
  try {
    const bytes = concatenated([utf8.encode(`${linesOf(headers).join('')}\r\n`), writeEntity(content)]);
    readCpim(bytes);
    return bytes;
  } catch (error) {
    if (!(error instanceof CpimError) || error.code === 'unwritable') throw error;
    throw new CpimError('unwritable', `nobody could read it: ${error.message}`);
  }
}

/** Headers of one name, in their order. */
export function headersOf({ headers }: Pick<CpimMessage, 'headers'>, { namespace, name }: CpimName): CpimHeader[] {
  return headers.filter((header) => header.namespace === namespace && header.name === name);
}

/** What prefixes stand for at one place of a message. */
class Namespaces {
  readonly #byPrefix = new Map<string | undefined, string>([[undefined, CORE_NAMESPACE]]);

  of(prefix: string | undefined): string | undefined {
    return this.#byPrefix.get(prefix);
  }

  /** `declaration`: the value of an `NS` header, which is answered. */
  declare(declaration: string): string {
    const [, prefix, uri] = NS.exec(declaration) ?? [];
    if (uri === undefined) throw new CpimError('malformed', 'a namespace looks like NS: prefix <uri>');
    this.#byPrefix.set(prefix, uri);
    return declaration;
  }
}

function linesOf(headers: readonly CpimHeader[]): string[] {
  const namespaces = new Namespaces();
  return headers.flatMap(({ namespace = CORE_NAMESPACE, prefix, name, language, value }) => {
    const full = prefix === undefined ? name : `${prefix}.${name}`;
    if (!ONE_NAME.test(full) || isDeclaration(namespace, prefix, name))
      throw new CpimError('unwritable', `no name of a header: ${JSON.stringify(full)}`);
    if (!VALUE.test(value))
      throw new CpimError('unwritable', `${full} has a control character, or a \\ that escapes nothing`);
    if (language !== undefined && !LANGUAGE.test(language))
      throw new CpimError('unwritable', `${full}: no language tag`);
    const line = `${full}:${language === undefined ? '' : `;lang=${language}`} ${value}\r\n`;
    if (namespaces.of(prefix) === namespace) return [line];
    return [`NS: ${namespaces.declare(`${prefix === undefined ? '' : `${prefix} `}<${namespace}>`)}\r\n`, line];
  });
}

/** `NS` without a prefix is one whatever the default namespace is: else no message could leave a default that it has named. */
function isDeclaration(namespace: string, prefix: string | undefined, name: string): boolean {
  return name === 'NS' && (prefix === undefined || namespace === CORE_NAMESPACE);
}

function named(namespace: string, name: string): CpimName {
  return namespace === CORE_NAMESPACE ? { name } : { namespace, name };
}

/** What follows the colon: parameters, of which the language counts, one space, the value. */
function parseRest(rest: string): { readonly language?: string; readonly value: string } {
  let language: string | undefined;
  let at = 0;
  for (;;) {
    PARAMETER.lastIndex = at;
    const [whole, name, value] = PARAMETER.exec(rest) ?? [];
    if (whole === undefined || value === undefined) break;
    if (name === 'lang' && LANGUAGE.test(value)) language = value;
    at += whole.length;
  }
  const value = rest.slice(rest[at] === ' ' ? at + 1 : at);
  return language === undefined ? { value } : { language, value };
}

function parseRequired(value: string, namespaces: Namespaces): CpimName[] {
  return value.split(',').map((item) => {
    const [, prefix, name] = ONE_NAME.exec(item.trim()) ?? [];
    const namespace = namespaces.of(prefix);
    if (name === undefined || namespace === undefined)
      throw new CpimError('unsupported', 'the message requires a header of no namespace that it names');
    return named(namespace, name);
  });
}
