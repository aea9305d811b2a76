// `npm run pictures`: the pictures of docs/operations/load.md anew, a report of each load against a server from source, as a browser shows it.
//   npm run pictures                 all of them, in about five minutes
//   npm run pictures -- storm diff   these
// Needs Chromium (infra/scripts/chromium.sh) and pngquant (apt-get install pngquant). `compare` has a picture too, which is made by hand: its
// peers have to be installed.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, startLoad, withServer } from './loaded-server.mjs';

const images = join(root, 'docs/images');
const WIDTH = 1_000;
/** Pixels below the last plot. */
const MARGIN = 32;
const COLOURS = '64';

/** The file of a scenario that the page has. */
const [, scenario] = /^```yaml\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/operations/load.md'), 'utf8'));

/** Which plots of a report are seen, by the beginnings of their titles, and the load. `URL` stands for the server. */
const SHARE = 'Share of all';
const PICTURES = {
  connect: [[SHARE, 'connect,', 'At a time'], 'connect URL --devices 200 --connect-rate 20 --duration 10s'],
  chat: [[SHARE, 'deliver,'], 'chat URL --pairs 10 --rate 50 --duration 15s'],
  group: [[SHARE, 'A second'], 'group URL --groups 1 --members 10 --rate 5 --size 1KiB --duration 15s'],
  storm: [['back,', 'deliver,', 'At a time'], 'storm URL --devices 50 --every 5s --pairs 2 --duration 30s'],
  keys: [[SHARE, 'bundle,'], 'keys URL --devices 10 --rate 10 --duration 15s'],
  files: [[SHARE, 'file,'], 'files URL --devices 2 --rate 3 --size 256KiB --duration 15s'],
  soak: [['deliver,', 'Memory'], 'soak URL --pairs 10 --rate 20 --duration 45s --metrics URL/metrics'],
  scenario: [['deliver,', 'A second', 'At a time'], 'scenario scenario.yaml URL'],
};
/** The second with eight times as much under way. */
const DIFF = {
  plots: ['deliver'],
  before: 'chat URL --pairs 10 --in-flight 1 --duration 8s',
  after: 'chat URL --pairs 10 --in-flight 8 --duration 8s',
};

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : [...Object.keys(PICTURES), 'diff'];
const unknown = names.filter((name) => name !== 'diff' && !(name in PICTURES));
if (unknown.length > 0)
  fail(`there is no picture ${unknown.join(', ')}; there are ${Object.keys(PICTURES).join(', ')}, diff`, 2);
const chromium = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'].find(runs);
if (!chromium) fail('needs Chromium: infra/scripts/chromium.sh installs it on Debian', 1);
if (!runs('pngquant')) fail('needs pngquant: apt-get install pngquant', 1);

await withServer({}, async ({ url, folder }) => {
  writeFileSync(join(folder, 'scenario.yaml'), scenario);
  const load = async (words, ...more) => {
    const argv = [...words.replaceAll('URL', url).split(' '), ...more];
    const child = startLoad(argv, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = await once(child, 'close');
    // 4: `report diff` found something worse.
    if (code !== 0 && code !== 4) throw new Error(`sealwire-load ${argv.join(' ')} ended with exit code ${code}`);
  };
  for (const name of names) {
    if (name === 'diff') {
      for (const side of ['before', 'after'])
        await load(DIFF[side], '--workers', '1', '--identities', 'identities', '--out', `${side}.json`);
      await load('report diff before.json after.json --html diff.html');
    } else {
      await load(PICTURES[name][1], '--workers', '1', '--identities', 'identities', '--html', `${name}.html`);
    }
    picture(join(folder, `${name}.html`), join(images, `load-${name}.png`), PICTURES[name]?.[0] ?? DIFF.plots);
  }
});

/** Of the page without its other plots and its text of all figures, as high as what is left. */
function picture(page, target, plots) {
  const others = plots.map((title) => `:not(:has(svg[aria-label^="${title}"]))`).join('');
  const style = `<style>figure${others},h2:has(+pre),pre{display:none}</style>`;
  const measure = '<script>document.title = document.documentElement.offsetHeight</script>';
  // Pages allow no script.
  const text = readFileSync(page, 'utf8').replace(/<meta http-equiv[^>]*>/, '');
  writeFileSync(page, text.replace('</body>', `${style}${measure}</body>`));
  const look = (...options) =>
    command(chromium, [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      ...options,
      `file://${page}`,
    ]);
  const [, height] = /<title>(\d+)</.exec(look(`--window-size=${WIDTH},100`, '--dump-dom'));
  look(`--window-size=${WIDTH},${Number(height) + MARGIN}`, `--screenshot=${target}`);
  command('pngquant', ['--force', '--strip', '--speed', '1', '--output', target, COLOURS, target]);
  console.log(target);
}

function command(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with exit code ${status}: ${stderr}`);
  return stdout;
}

function runs(program) {
  return spawnSync(program, ['--version']).status === 0;
}

function fail(why, code) {
  console.error(`pictures: ${why}`);
  process.exit(code);
}
