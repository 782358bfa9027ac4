'use strict';
// Loaded before a script with `node --require`, so that Node.js itself runs the script as always: waits for the call’s header
// on descriptor 0, and writes the end mark when everything is over. Worker threads of the script load it too.

const fs = require('node:fs');

const INPUT = 0;
const OUTPUTS = [1, 2];
const RETRY_MS = 2;
const MAX_WRITE_MS = 10_000;
const MAX_SOURCE_BYTES = 1024 * 1024;
/** Loaded ahead where the script imports them; none of them does anything but be there. */
const BUILTIN = new Set(
  (
    'assert async_hooks buffer child_process crypto dns events fs/promises http https net os path perf_hooks querystring readline ' +
    'readline/promises stream stream/promises string_decoder timers timers/promises tls url util worker_threads zlib'
  ).split(' '),
);
/** Node.js prints a warning of its own after this one: a module still awaits something. */
const UNSETTLED = 13;

function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}

/** Reads exactly as much as the buffer holds, for what follows is the script’s; false at the end of the input. */
function fill(buffer) {
  for (let filled = 0; filled < buffer.length;) {
    try {
      const count = fs.readSync(INPUT, buffer, filled, buffer.length - filled, null);
      if (count === 0) return false;
      filled += count;
    } catch (error) {
      if (error.code !== 'EAGAIN') return false;
      pause();
    }
  }
  return true;
}

/** Loads of Node.js what the script will ask for. Nothing of the plugin is run before there is a call. */
function loadAhead(script) {
  let source;
  try {
    if (fs.statSync(script).size > MAX_SOURCE_BYTES) return;
    source = fs.readFileSync(script, 'utf8');
  } catch {
    // Node.js says so itself when it runs the script.
    return;
  }
  for (const [, name] of source.matchAll(/\b(?:from|import|require)\s*\(?\s*['"](?:node:)?([a-z_]+(?:\/[a-z]+)?)['"]/g)) {
    if (BUILTIN.has(name)) require(`node:${name}`);
  }
  // What standard output becomes when it is first written to.
  if (/\bconsole\.|\bprocess\.stdout\b/.test(source)) require('node:net');
  // Sets up the loader of ES modules; its promise settles when the script runs.
  if (/^\s*(?:import|export)\b/m.test(source)) void import('node:fs');
}

/** The nonce of the end mark, and the first argument if there is one. */
function readHeader() {
  const byte = Buffer.alloc(1);
  let line = '';
  while (!line.endsWith('\n')) {
    if (!fill(byte)) process.reallyExit(0);
    line += byte.latin1Slice();
  }
  const [nonce, size] = line.trim().split(' ');
  const text = Buffer.alloc(Number(size));
  if (!fill(text)) process.reallyExit(0);
  return { nonce, text: text.toString() };
}

function writeAll(descriptor, bytes) {
  const giveUp = Date.now() + MAX_WRITE_MS;
  for (let written = 0; written < bytes.length && Date.now() < giveUp;) {
    try {
      written += fs.writeSync(descriptor, bytes, written);
    } catch (error) {
      // Closed, or nobody reads any more.
      if (error.code !== 'EAGAIN') return;
      pause();
    }
  }
}

/** Writes the mark where the process really ends, past every handler and every wrapper of the script and its packages. */
function markEnd(nonce) {
  const { emit, reallyExit } = process;
  let isFatal = false;
  // Node.js prints the error after the event `exit`; its own end follows, without a mark.
  process.on('uncaughtExceptionMonitor', () => {
    isFatal = true;
  });
  process.reallyExit = function (code) {
    if (!isFatal) {
      const mark = Buffer.from(`\0${nonce}:${(code ?? 0) & 255}\0`);
      for (const descriptor of OUTPUTS) writeAll(descriptor, mark);
    }
    return reallyExit.call(process, code);
  };
  process.emit = function (name, code) {
    const result = Reflect.apply(emit, this, arguments);
    if (name !== 'exit' || isFatal) return result;
    const status = process.exitCode ?? code;
    // What is left to do is to take the interpreter down, which nobody has to wait for.
    if (status !== UNSETTLED) process.reallyExit(status);
    return result;
  };
}

// The options of this process are handed on to those that the script forks; they have no header to wait for.
const own = process.execArgv.indexOf('--require');
if (own !== -1 && process.execArgv[own + 1] === __filename) process.execArgv.splice(own, 2);
delete require.cache[__filename];

if (require('node:worker_threads').isMainThread) {
  loadAhead(process.argv[1]);
  const { nonce, text } = readHeader();
  if (text !== '') process.argv.push(text);
  markEnd(nonce);
}
