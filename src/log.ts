import { pino, type Logger } from 'pino';

export type Log = Logger;

/** Members that never reach a log, wherever they stand (style.md §2.20). */
const SECRET_PATHS = [
  'token',
  'authorization',
  'password',
  'secret',
  '*.token',
  '*.authorization',
  '*.password',
  '*.secret',
  '*.*.authorization',
];

/**
 * The log of the host: JSON lines on stderr, for stdout belongs to MCP.
 * `level` is pino's; the default comes from `PLUGBRIDGE_LOG`, else `info`.
 */
export function createLog(level: string = process.env['PLUGBRIDGE_LOG'] ?? 'info'): Log {
  return pino({ base: { name: 'plugbridge' }, level, redact: SECRET_PATHS }, pino.destination({ fd: 2, sync: true }));
}
