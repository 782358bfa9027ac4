import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { useTmp } from './tmp.ts';

export interface Certificates {
  /** PEM of the authority. */
  readonly authority: string;
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority of the test’s own and a server certificate for the names given (`DNS:x` or `IP:x`); needs `openssl`. */
export function useCertificates(...names: readonly string[]): Certificates {
  const directory = useTmp();
  const run = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  run('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority', '-days', '2');
  run('req', ...newKey, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=test server');
  writeFileSync(join(directory, 'names'), `subjectAltName=${names.join(',')}\n`);
  run(
    'x509',
    '-req',
    '-in',
    'request.pem',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'cert.pem',
    '-days',
    '2',
    '-extfile',
    'names',
  );
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  return { authority: read('ca.pem'), key: read('key.pem'), cert: read('cert.pem') };
}
