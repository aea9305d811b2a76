/**
 * Mutants of a TypeScript source: small changes, each of which a good test suite notices (docs/testing.md). A mutant is an edit of the
 * text, found in the syntax tree: conditions that always or never hold, one side of && and ||, boundaries of comparisons, arithmetic,
 * statements and answers left out.
 */
import { parse } from '@babel/parser';

export interface Edit {
  /** Where in the text, UTF-16 units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

export interface Mutant extends Edit {
  /** Counted from 1. */
  readonly line: number;
  readonly kind: string;
  /** What is replaced. */
  readonly original: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number } };
  readonly [field: string]: unknown;
}

const OPERATORS: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '+=': '-=',
  '-=': '+=',
  '++': '--',
  '--': '++',
};
/** TypeScript that has no effect at run time, but for these, which wrap an expression. */
const TRANSPARENT = ['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'];
const LOOPS = ['WhileStatement', 'DoWhileStatement', 'ForStatement'];

/** In order of their place. Throws a SyntaxError for what is no TypeScript. */
export function mutantsOf(source: string): Mutant[] {
  const tree = parse(source, { sourceType: 'module', plugins: ['typescript', 'decorators-legacy'] });
  const found = new Map<string, Mutant>();
  visit(tree.program as unknown as Node, (node) => {
    for (const { kind, at, replacement } of mutationsOf(node, source)) {
      const mutant = {
        start: at.start,
        end: at.end,
        replacement,
        line: lineOf(source, at.start),
        kind,
        original: source.slice(at.start, at.end),
      };
      found.set(`${at.start} ${at.end} ${replacement}`, mutant);
    }
  });
  return [...found.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

export function applyEdit(source: string, { start, end, replacement }: Edit): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

interface Mutation {
  readonly kind: string;
  readonly at: { readonly start: number; readonly end: number };
  readonly replacement: string;
}

function mutationsOf(node: Node, source: string): Mutation[] {
  const child = (field: string) => node[field] as Node;
  const text = ({ start, end }: Node) => source.slice(start, end);
  const whole = (kind: string, replacement: string): Mutation => ({ kind, at: node, replacement });
  const condition = (test: Node, values: readonly string[]) =>
    values.map((value) => ({ kind: 'condition', at: test, replacement: value }));

  if (node.type === 'IfStatement' || node.type === 'ConditionalExpression')
    return condition(child('test'), ['true', 'false']);
  if (LOOPS.includes(node.type)) return node.test ? condition(child('test'), ['false']) : [];
  switch (node.type) {
    case 'LogicalExpression': {
      const [left, right] = [text(child('left')), text(child('right'))];
      return [whole('one side', `(${left})`), ...(node.operator === '??' ? [] : [whole('one side', `(${right})`)])];
    }
    case 'BinaryExpression':
    case 'AssignmentExpression':
      return operatorBetween(child('left'), child('right'), node.operator as string, source);
    case 'UpdateExpression': {
      const operator = OPERATORS[node.operator as string]!;
      const argument = text(child('argument'));
      return [whole('arithmetic', node.prefix ? operator + argument : argument + operator)];
    }
    case 'UnaryExpression':
      return node.operator === '!' ? [whole('negation', `(${text(child('argument'))})`)] : [];
    case 'BooleanLiteral':
      return [whole('constant', String(!node.value))];
    case 'ReturnStatement':
      return node.argument && !isNothing(child('argument')) ? [whole('answer', 'return;')] : [];
    case 'ThrowStatement':
      return [whole('statement', ';')];
    case 'ExpressionStatement':
      return child('expression').type === 'CallExpression' && (child('expression').callee as Node).type === 'Super'
        ? []
        : [whole('statement', ';')];
    default:
      return [];
  }
}

/** What an answer left out is much the same as; `false` has its own mutant. */
function isNothing({ type, name }: Node): boolean {
  return type === 'BooleanLiteral' || type === 'NullLiteral' || (type === 'Identifier' && name === 'undefined');
}

function operatorBetween(left: Node, right: Node, operator: string, source: string): Mutation[] {
  const replacement = OPERATORS[operator];
  if (!replacement) return [];
  const start = source.indexOf(operator, left.end);
  if (start >= right.start) return [];
  const kind = /[<>=]/.test(operator[0]!) || operator === '!==' ? 'comparison' : 'arithmetic';
  return [{ kind, at: { start, end: start + operator.length }, replacement }];
}

function visit(node: Node, look: (node: Node) => void): void {
  if (node.type === 'ImportDeclaration') return;
  if (node.type.startsWith('TS') && !TRANSPARENT.includes(node.type)) return;
  look(node);
  for (const value of Object.values(node))
    for (const each of Array.isArray(value) ? value : [value]) if (isNode(each)) visit(each, look);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'loc' in value && 'start' in value;
}

function lineOf(source: string, at: number): number {
  return source.slice(0, at).split('\n').length;
}
