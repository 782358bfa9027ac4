import type { PluginEntry } from '../catalog/catalog.ts';
import { SCRIPT_LIMITS, type Plugin } from '../manifest/plugin.ts';
import { tryRenameManifest } from '../manifest/rename.ts';
import { composeScriptPlugin } from '../manifest/starters/starters.ts';
import { NameSchema } from '../manifest/text.ts';
import type { Validation } from '../manifest/validate.ts';
import type { TrialRuns } from '../trials/trials.ts';
import { judgeAttempt, MAX_ATTEMPTS, nextAttempt, type DraftState } from './attempts.ts';
import type { AuthoringCall, AuthoringDeps, DraftAnswer, DraftReport, NewDraft } from './authoring.ts';
import { createDraftStore, DRAFT_LIMITS, readDraftFiles, textsOf, type DraftFiles, type DraftStore } from './draft-store.ts';
import { applyPatch, type Edit } from './edits.ts';

export interface Drafting {
  readonly store: DraftStore;
  draft(plan: NewDraft, call: AuthoringCall): Promise<DraftAnswer>;
  copy(from: string, name: string, call: AuthoringCall): Promise<DraftAnswer>;
  patch(name: string, edits: readonly Edit[], call: AuthoringCall): Promise<DraftAnswer>;
}

/** Clients give up on a call after a minute without a sign (mcp.md §2, trap 7). */
const RUNS_MS = 45_000;
const RUN_MS = 20_000;
const FIRST_VERSION = '0.1.0';
/** Installed packages are not copied: a draft has none. */
const PACKAGES = /^(?:node_modules|\.dependencies)\//;

const refuse = (reason: string): DraftAnswer => ({ kind: 'refused', reason });

/** The steps of a draft: written, tried, judged. */
export function createDrafting({ drafts, catalog, trials, journal, now }: AuthoringDeps): Drafting {
  const store = createDraftStore(drafts);

  /** Why no draft of this name can be begun; undefined when it can. */
  const findObstacle = (name: string): string | undefined => {
    if (!NameSchema.safeParse(name).success)
      return `Cannot draft "${name}": the name must be a letter or digit, then letters, digits, _ and -, at most 64`;
    const entry = catalog.current().findPlugin(name);
    if (entry && !isOpenProposal(entry)) return `Cannot draft "${name}": a plugin has that name; take another one`;
    const state = store.state(name);
    if (state?.status === 'closed') {
      return `Cannot begin the draft "${name}" again: three attempts failed; tell the person what failed, or take another name`;
    }
    if (state) return `Cannot write the draft "${name}" anew: attempt 2 and later are patches; use plugbridge_patch_plugin`;
    store.expire(now());
    if (store.count() >= DRAFT_LIMITS.drafts) {
      return `Cannot begin another draft: there are ${DRAFT_LIMITS.drafts}, the most at a time; go on with one of them`;
    }
    return undefined;
  };

  /** Checks and runs a draft whose files are written, and keeps how it stands. */
  const attempt = async (
    name: string,
    number: number,
    { caller, signal, event }: AuthoringCall & { readonly event: string },
  ): Promise<DraftReport> => {
    const checked = await trials.check(store.directoryOf(name));
    const problems = [...checked.problems, ...findRefused(checked, name)];
    const runs: TrialRuns =
      problems.length === 0 && checked.plugin
        ? await trials.try(asDraft(checked.plugin, number), {
            caller,
            signal: AbortSignal.any([signal, AbortSignal.timeout(RUNS_MS)]),
            runs: 'all',
            grants: 'none',
          })
        : { problems: [], warnings: [], reports: [] };
    const failed = problems.length + runs.problems.length > 0 || runs.reports.some((report) => report.status === 'failed');
    const status = judgeAttempt(number, !failed);
    store.setState(name, stateOf(number, status, checked.plugin?.digest ?? ''));
    journal.event({
      event,
      plugin: name,
      detail: { attempt: number, status, digest: checked.plugin?.digest ?? '', client: caller.client, clientVersion: caller.clientVersion },
    });
    return {
      name,
      status,
      attempt: number,
      attemptsLeft: status === 'passing' ? MAX_ATTEMPTS : MAX_ATTEMPTS - number,
      problems: [...problems, ...runs.problems],
      warnings: [...checked.warnings, ...runs.warnings],
      runs: runs.reports,
      files: [...textsOf(filesOf(name)).keys()].map((file) => ({ file })),
    };
  };

  const stateOf = (number: number, status: DraftState['status'], digest: string): DraftState => ({
    version: 1,
    attempt: number,
    status,
    digest,
    changedAtMs: now(),
  });
  const filesOf = (name: string): DraftFiles => {
    const read = readDraftFiles(store.directoryOf(name), store.fileNames(name));
    return read.ok ? read.files : new Map();
  };

  /** An attempt counts from the moment its files are written, so that none is had for nothing by ending the process. */
  const writeAttempt = (name: string, number: number, files: DraftFiles): void => store.write(name, files, stateOf(number, 'failing', ''));

  return {
    store,
    async draft(plan, call) {
      const obstacle = findObstacle(plan.name);
      if (obstacle !== undefined) return refuse(obstacle);
      const tests = Object.fromEntries(plan.tests.map((test, index) => [`test-${index + 1}`, test]));
      const texts = composeScriptPlugin({ ...plan, version: FIRST_VERSION, tests });
      const files = new Map(Object.entries(texts).map(([file, text]) => [file, Buffer.from(text)]));
      const tooLarge = findExcess(files);
      if (tooLarge !== undefined) return refuse(`Cannot draft "${plan.name}": ${tooLarge}`);
      writeAttempt(plan.name, 1, files);
      return { kind: 'report', report: await attempt(plan.name, 1, { ...call, event: 'plugin-drafted' }) };
    },

    async copy(from, name, { caller }) {
      const cannot = (reason: string): DraftAnswer => refuse(`Cannot copy "${from}" into the draft "${name}": ${reason}`);
      const entry = catalog.current().findPlugin(from);
      if (!entry?.plugin) return cannot('there is no such plugin, or it cannot be read');
      // What may not run must not come to run as a copy.
      if (!entry.callable && !isOpenProposal(entry)) return cannot(`it is ${entry.status}`);
      const obstacle = findObstacle(name);
      if (obstacle !== undefined) return refuse(obstacle);
      const copied = readCopy(entry.plugin, name);
      if (!copied.ok) return cannot(copied.reason);
      store.write(name, copied.files, stateOf(0, 'copied', ''));
      const checked = await trials.check(store.directoryOf(name));
      const [refused] = findRefused(checked, name);
      if (refused !== undefined) {
        store.remove(name);
        return cannot(refused);
      }
      journal.event({
        event: 'plugin-copied',
        plugin: name,
        detail: { from, digest: entry.plugin.digest, client: caller.client, clientVersion: caller.clientVersion },
      });
      const files = [...textsOf(copied.files)].map(([file, text]) => ({ file, text }));
      const { problems, warnings } = checked;
      return {
        kind: 'report',
        report: { name, status: 'copied', attempt: 0, attemptsLeft: MAX_ATTEMPTS, problems, warnings, runs: [], files },
      };
    },

    async patch(name, edits, call) {
      const state = NameSchema.safeParse(name).success ? store.state(name) : undefined;
      if (!state) return refuse(`Cannot patch "${name}": there is no draft of that name; begin one with plugbridge_draft_plugin`);
      const next = nextAttempt(state);
      if (!next.ok) return refuse(`Cannot patch "${name}": ${next.reason}`);
      const before = filesOf(name);
      const patched = applyPatch(textsOf(before), edits);
      if (!patched.ok) return refuse(`Cannot patch "${name}": ${patched.reason}; nothing was changed and no attempt was used`);
      const files = new Map([...before, ...[...patched.texts].map(([file, text]) => [file, Buffer.from(text)] as const)]);
      const tooLarge = findExcess(files);
      if (tooLarge !== undefined) return refuse(`Cannot patch "${name}": ${tooLarge}`);
      writeAttempt(name, next.attempt, files);
      return { kind: 'report', report: await attempt(name, next.attempt, { ...call, event: 'plugin-patched' }) };
    },
  };
}

/** Proposed, and nobody has accepted it yet: it may be replaced. */
export const isOpenProposal = ({ origin, callable }: PluginEntry): boolean => origin === 'proposed' && !callable;

/** What a draft may not be, whatever its manifest says. */
function findRefused({ plugin }: Validation, name: string): readonly string[] {
  if (!plugin) return [];
  if (plugin.name !== name) return [`its name is "${plugin.name}", wanted is "${name}", as the draft is called`];
  if (plugin.runtime.kind !== 'script') return ['it is no script, and only scripts can be drafted'];
  if (plugin.runtime.dependencies.length > 0) return ['it declares dependencies, which a draft cannot have: use the standard library'];
  return plugin.enabled ? [] : ['it is disabled'];
}

/** In the audit a draft’s runs are told apart by their version. Whatever its manifest says, it gets no more than is usual. */
const asDraft = (plugin: Plugin, attempt: number): Plugin => ({
  ...plugin,
  version: `${plugin.version}-draft.${attempt}`,
  limits: {
    ...plugin.limits,
    timeoutMs: Math.min(plugin.limits.timeoutMs, RUN_MS),
    memoryBytes: Math.min(plugin.limits.memoryBytes, SCRIPT_LIMITS.memoryBytes),
    outputBytes: Math.min(plugin.limits.outputBytes, SCRIPT_LIMITS.outputBytes),
  },
});

function findExcess(files: DraftFiles): string | undefined {
  const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0);
  return bytes > DRAFT_LIMITS.bytes ? `its files have ${bytes} bytes, more than ${DRAFT_LIMITS.bytes}` : undefined;
}

/** The files of a plugin under another name. */
function readCopy(plugin: Plugin, name: string): ReturnType<typeof readDraftFiles> {
  if (plugin.runtime.kind !== 'script') return { ok: false, reason: 'it is no script, and only scripts can be patched' };
  const names = Object.keys(plugin.files);
  if (names.some((file) => PACKAGES.test(file))) return { ok: false, reason: 'it has installed packages, which a draft cannot have' };
  const read = readDraftFiles(plugin.directory, names);
  if (!read.ok || plugin.name === name) return read;
  const manifest = read.files.get(plugin.manifestFile);
  // A lone script has no manifest, and is called as its directory.
  if (manifest === undefined || !/\.(?:json|toml)$/.test(plugin.manifestFile)) return read;
  const renamed = tryRenameManifest(plugin.manifestFile, Buffer.from(manifest).toString('utf8'), name);
  if (renamed === undefined) return { ok: false, reason: `the name cannot be changed in ${plugin.manifestFile}` };
  return { ok: true, files: new Map([...read.files, [plugin.manifestFile, Buffer.from(renamed)]]) };
}
