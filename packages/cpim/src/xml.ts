/**
 * XML as notices need it: elements and text. By saxes, which is strict, knows namespaces and expands no entity but the five of XML itself;
 * document types, which billion laughs and outside entities need, end the reading at once.
 */
import { SaxesParser } from 'saxes';
import { CpimError } from './errors.ts';

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** Empty for none. */
  readonly namespace: string;
  readonly children: readonly XmlElement[];
  /** Its own, without that of its children. */
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly children: OpenElement[];
  text: string;
}

const DEPTH = 16;
const ELEMENTS = 256;

/** The root. Throws `CpimError` `malformed` or `too-large`. `bytes` are bounded by the caller. */
export function readXml(bytes: Uint8Array): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  let count = 0;
  const fail = (text: string) => {
    throw new CpimError('malformed', text);
  };
  parser.on('error', ({ message }) => fail(`no XML: ${message.replace(/\s+/g, ' ')}`));
  parser.on('doctype', () => fail('XML with a document type is not read'));
  parser.on('opentag', ({ local, uri }) => {
    if (open.length === DEPTH || count++ === ELEMENTS)
      throw new CpimError('too-large', `XML of more than ${DEPTH} levels or ${ELEMENTS} elements`);
    const element: OpenElement = { name: local, namespace: uri, children: [], text: '' };
    const parent = open.at(-1);
    if (parent) parent.children.push(element);
    else root = element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const addText = (text: string) => {
    const element = open.at(-1);
    if (element) element.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  try {
    parser.write(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).close();
  } catch (error) {
    if (error instanceof CpimError) throw error;
    fail('no XML in UTF-8');
  }
  return root ?? fail('XML without an element');
}
