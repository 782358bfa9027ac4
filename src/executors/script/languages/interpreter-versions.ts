import { reasonOf } from '../../../errors.ts';
import { LANGUAGES, type Language } from '../../../manifest/plugin.ts';
import { capture } from '../../sandbox/capture.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { FoundInterpreter, Interpreters } from './interpreters.ts';
import { INTERPRETERS, LANGUAGE_TABLE, type InterpreterName } from './languages.ts';

/** One interpreter of this machine, for `doctor`. */
export interface InterpreterFinding {
  readonly interpreter: InterpreterName;
  readonly languages: readonly Language[];
  /** Absolute; absent when there is none. */
  readonly program?: string;
  /** What it says of itself, one line; absent when it was not run or could not be. */
  readonly version?: string;
  /** What to install, or why it does not run. */
  readonly problem?: string;
}

/** Finds every interpreter, and asks each for its version in the sandbox; where nothing isolates, none is run. Never rejects. */
export async function describeInterpreters({
  interpreters,
  sandbox,
}: {
  readonly interpreters: Interpreters;
  readonly sandbox: Sandbox;
}): Promise<readonly InterpreterFinding[]> {
  const tier = await sandbox.tier();
  const isIsolated = tier !== 'none' && tier !== 'process';
  return Promise.all(
    INTERPRETERS.map(async (interpreter): Promise<InterpreterFinding> => {
      const languages = LANGUAGES.filter((language) => LANGUAGE_TABLE[language].interpreter === interpreter);
      const [language = 'bash'] = languages;
      const found = interpreters.find(language);
      if (!found.ok) return { interpreter, languages, problem: found.reason };
      const { program } = found;
      if (!isIsolated) return { interpreter, languages, program };
      return { interpreter, languages, program, ...(await askVersion(sandbox, { ...found, language })) };
    }),
  );
}

type RunnableInterpreter = Extract<FoundInterpreter, { ok: true }> & { readonly language: Language };

const MIB = 1024 * 1024;
const MAX_ANSWER_BYTES = 4_096;
const LIFETIME_SECONDS = 10;

async function askVersion(
  sandbox: Sandbox,
  { program, mounts, language }: RunnableInterpreter,
): Promise<Pick<InterpreterFinding, 'version' | 'problem'>> {
  try {
    const running = await sandbox.spawn({
      command: [program, '--version'],
      mounts,
      workingDirectory: '/tmp',
      environment: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8' },
      limits: {
        dataBytes: 256 * MIB + LANGUAGE_TABLE[language].dataHeadroomBytes,
        processes: 64,
        descriptors: 64,
        cpuSeconds: LIFETIME_SECONDS,
        scratchBytes: MIB,
      },
      lifetimeSeconds: LIFETIME_SECONDS,
    });
    const options = { maxBytes: MAX_ANSWER_BYTES, onOverflow: () => void running.kill() };
    const said = [capture(running.stdout, options), capture(running.stderr, options)];
    running.stdin.on('error', () => {}).end();
    const { code, signal } = await running.exited;
    const [line = ''] = (await Promise.all(said)).flatMap(({ text }) => text.split('\n')).filter((text) => text.trim() !== '');
    if (code === 0 && line !== '') return { version: line.trim() };
    return { problem: `"${program} --version" ended with ${signal ?? `exit code ${code}`}${line === '' ? '' : `: ${line.trim()}`}` };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}
