import { realpathSync } from 'node:fs';

/** The system’s own bundles: Debian and its kin, Red Hat and its kin. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];
/** What every sandbox shows of them (`system-layout.ts`). */
const SHOWN = ['/etc/ssl/certs/', '/etc/pki/tls/certs/', '/usr/'];

/**
 * The certificate authorities that the system trusts, as one file: npm and pip bring their own list, which knows nothing of
 * those that an operator has added. Undefined where there is no such file, or a sandbox does not show it.
 */
export function tryFindSystemCertificates(): string | undefined {
  return BUNDLES.find((path) => {
    try {
      const real = realpathSync(path);
      return SHOWN.some((directory) => real.startsWith(directory));
    } catch {
      return false;
    }
  });
}
