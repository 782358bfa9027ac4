// Starts a server to be measured, and ends it with everything it started.
import { spawn } from 'node:child_process';
import { endSurvivors, listTree, readBirths } from './process-tree.mjs';

const MAX_STDERR_CHARACTERS = 4000;
const TERMINATE_AFTER_MS = 500;
const KILL_AFTER_MS = 3000;
const SURVIVE_MS = 300;

/**
 * Servers start with little environment: NODE_EXTRA_CA_CERTS alone adds some 20 ms to every start of Node.js 20.
 * `env` comes on top.
 */
export function startServer({ argv, env }) {
  const startedMs = performance.now();
  const child = spawn(process.execPath, argv, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...env },
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    if (stderr.length < MAX_STDERR_CHARACTERS) stderr += data;
  });
  child.stdin.on('error', () => {});
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(`server ended with ${code ?? signal}: ${stderr}`)));
  return {
    startedMs,
    child,
    pid: child.pid,
    /** Resolves with what to say about it. */
    exited,
    /** Ends the input, then insists; resolves with the number of processes that outlived the server. */
    async stop(signal) {
      const births = readBirths(listTree(child.pid).slice(1));
      child.stdin.end();
      if (signal !== undefined) child.kill(signal);
      const timers = [setTimeout(() => child.kill('SIGTERM'), TERMINATE_AFTER_MS), setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)];
      await exited;
      timers.forEach(clearTimeout);
      return endSurvivors(births, SURVIVE_MS);
    },
  };
}
