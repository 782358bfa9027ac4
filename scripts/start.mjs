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
stopWithShell();
await import(`${root}dist/cli.js`);

/** npm runs scripts in a shell, which takes a signal to npm with it into its grave instead of passing it on. */
function stopWithShell() {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const shell = process.ppid;
  setInterval(() => {
    if (process.ppid !== shell) process.kill(process.pid, 'SIGTERM');
  }, 250).unref();
}
