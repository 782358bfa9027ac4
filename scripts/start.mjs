// `npm start`: from a fresh clone to a running server over HTTP with the sample plugins.
import { buildAll, checkNode, installPackages, root } from './setup.mjs';

checkNode();
installPackages();
await buildAll();
process.argv = [
  process.argv[0],
  `${root}dist/cli.js`,
  'serve',
  '--http',
  process.env.PLUGBRIDGE_HTTP ?? '127.0.0.1:7411',
  '--plugins',
  `${root}plugins`,
  ...process.argv.slice(2),
];
await import(`${root}dist/cli.js`);
