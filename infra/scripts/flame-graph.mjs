// A profile of V8 (`--cpu-prof`, or the inspector's) as a flame graph in SVG: no script in it, a title on each frame for whoever points at it.

const WIDTH = 1200;
const ROW = 17;
const HEAD = 46;
/** Of all samples: what is smaller has no room for anybody to see it. */
const LEAST_PART = 0.0015;
const LETTER = 6.2;
const ORIGINS = [
  ['ours', '#93c5fd', (url) => /\/(apps|packages)\/[^/]+\/(src|dist)\//.test(url)],
  ['libraries', '#86efac', (url) => url.includes('/node_modules/')],
  ['Node', '#d4d4d8', (url) => url.startsWith('node:')],
  ['engine and kernel', '#fdba74', () => true],
];

/**
 * `profile`: as V8 writes it. Idle time is left out; frames are those of functions, by name and file, whoever called them from where.
 * Answers SVG text.
 */
export function flameGraph(profile, title) {
  const root = treeOf(profile);
  const rows = [];
  let deepest = 0;
  const place = (frame, from, depth) => {
    const part = frame.total / root.total;
    if (part < LEAST_PART) return;
    deepest = Math.max(deepest, depth);
    if (depth > 0) rows.push({ frame, from, part, depth });
    let at = from;
    // By name, so that two graphs of the same program have their frames in the same order.
    for (const child of [...frame.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      place(child, at, depth + 1);
      at += child.total / root.total;
    }
  };
  place(root, 0, 0);
  const height = HEAD + deepest * ROW + 6;
  const drawn = rows.map(({ frame, from, part, depth }) => {
    const [x, width, y] = [from * WIDTH, part * WIDTH, height - 6 - depth * ROW];
    const room = Math.floor((width - 4) / LETTER);
    const label = room < 3 ? '' : frame.name.length > room ? `${frame.name.slice(0, room - 1)}…` : frame.name;
    const text = label && `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(label)}</text>`;
    return `<g><title>${escaped(`${frame.name} ${frame.place}`.trim())}: ${(part * 100).toFixed(1)} %, itself ${((frame.self / root.total) * 100).toFixed(1)} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.4).toFixed(1)}" height="${ROW - 1}" fill="${frame.colour}"/>${text}</g>`;
  });
  const legend = ORIGINS.map(
    ([name, colour], i) =>
      `<rect x="${4 + i * 150}" y="26" width="11" height="11" fill="${colour}"/><text x="${20 + i * 150}" y="36">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10.5" role="img" aria-label="${escaped(title)}"><rect width="${WIDTH}" height="${height}" fill="#fff"/><text x="4" y="16" font-size="13">${escaped(title)}</text>${legend.join('')}${drawn.join('\n')}</svg>\n`;
}

function treeOf({ nodes, samples, timeDeltas }) {
  const self = new Map();
  for (const [index, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + Math.max(0, timeDeltas[index]));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const root = frameOf('all', '', '');
  const add = (node, into) => {
    const { functionName, url, lineNumber } = node.callFrame;
    // What began the profile is in its first sample.
    if (functionName === '(idle)' || url === 'node:inspector') return 0;
    const isRoot = functionName === '(root)';
    const name = functionName || '(anonymous)';
    // The anonymous ones of a file are told apart by their line.
    const key = `${name} ${url} ${functionName ? '' : lineNumber}`;
    const frame = isRoot ? into : (into.children.get(key) ?? frameOf(name, placeOf(url, lineNumber), url));
    if (!isRoot) into.children.set(key, frame);
    const own = self.get(node.id) ?? 0;
    let total = own;
    for (const child of node.children ?? []) total += add(byId.get(child), frame);
    frame.self += own;
    frame.total += total;
    return total;
  };
  add(nodes[0], root);
  return root;
}

function frameOf(name, place, url) {
  const [, colour] = ORIGINS.find(([, , isOf]) => isOf(url));
  return { name, place, colour, self: 0, total: 0, children: new Map() };
}

/** From the repository, or the library. */
function placeOf(url, line) {
  if (url === '') return '';
  return `(${url.replace(/^.*\/(?=(apps|packages|node_modules|infra)\/)/, '')}:${line + 1})`;
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
