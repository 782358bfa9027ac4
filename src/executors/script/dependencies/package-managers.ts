import type { Language } from '../../../manifest/plugin.ts';
import { gem } from './gem.ts';
import { npm } from './npm.ts';
import type { ManagedLanguage, PackageManager } from './package-manager.ts';
import { pip } from './pip.ts';

/** All package managers, by the language whose packages they install. */
const PACKAGE_MANAGERS = { python: pip, node: npm, typescript: npm, ruby: gem } as const satisfies Record<ManagedLanguage, PackageManager>;

/** The package manager of a language; Bash has none. */
export const tryFindManager = (language: Language): PackageManager | undefined =>
  language === 'bash' ? undefined : PACKAGE_MANAGERS[language];
