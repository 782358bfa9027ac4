import type { Language } from '../../../manifest/plugin.ts';
import type { DependencyPlan, InstalledPackage, PlanResult, WantedPackage } from './dependency-plan.ts';
import type { FurtherHosts } from './registry.ts';

/** Where the way out of the sandbox begins, inside it. */
export const PROXY_PORT = 3128;
export const PROXY_URL = `http://127.0.0.1:${PROXY_PORT}`;

/** What a package manager is told. All paths are absolute, the same inside as outside. */
export interface InstallSetting {
  /** The interpreter that the packages are for. */
  readonly program: string;
  readonly plan: DependencyPlan;
  readonly registryUrl: string;
  /** Its working directory, which holds the files of the plan; whatever else is there does not outlive it. */
  readonly project: string;
  /** Where the packages go, below `project`. */
  readonly target: string;
  /** Where our loaders are. */
  readonly loadersDirectory: string;
  /** Whether code of the packages may run while they are installed. */
  readonly allowScripts: boolean;
}

export type InstallCommand =
  | {
      readonly ok: true;
      readonly command: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      /** Files of ours that it reads. */
      readonly shown: readonly string[];
    }
  | { readonly ok: false; readonly reason: string };

/** Why a package manager gave up, as far as its output tells. */
export interface InstallProblem {
  /** `integrity`: a package is not what the lock says. */
  readonly kind: 'integrity' | 'scripts' | 'missing' | 'other';
  readonly reason: string;
}

/** How packages of one language are declared, installed and found again. */
export interface PackageManager {
  readonly title: string;
  /** Of the public registry; the configuration can name another. */
  readonly publicRegistry: string;
  readonly furtherHosts: FurtherHosts;
  /** The name of the directory that packages are installed into, below the working directory. */
  readonly targetName: string;
  readPlan(directory: string, declared: readonly string[]): PlanResult;
  toCommand(setting: InstallSetting): InstallCommand;
  /** `output` is the end of what it said. */
  findProblem(output: string): InstallProblem | undefined;
  listInstalled(target: string): readonly InstalledPackage[];
  /** Looks into an installed directory; the answer tells of each wanted package whether it is there. */
  lookInto(target: string): (wanted: WantedPackage) => boolean;
}

/** Packages of scripts in a language without a package manager are refused. */
export type ManagedLanguage = Exclude<Language, 'bash'>;
