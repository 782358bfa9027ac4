import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { digestArguments } from '../audit/canonical.ts';
import type { PluginEntry } from '../catalog/catalog.ts';
import { toOneLine } from '../dispatch/one-line.ts';
import type { ApprovalRequest, CallRequest } from '../dispatch/outcome.ts';
import { NameSchema } from '../manifest/text.ts';
import type { AuthoringCall, AuthoringDeps } from './authoring.ts';
import { readDraftFiles, replaceDirectory, type DraftStore } from './draft-store.ts';
import { isOpenProposal } from './drafting.ts';

export interface ProposeRequest {
  readonly name: string;
  /** Whether a person can be asked over this connection. */
  readonly canAsk: boolean;
  /** The person’s answer to an earlier question. */
  readonly approval?: CallRequest['approval'];
}

export type ProposalAnswer =
  | { readonly kind: 'refused'; readonly reason: string }
  /** It waits for a person; `directory` is where to look at it. */
  | { readonly kind: 'proposed'; readonly directory: string }
  | { readonly kind: 'ask'; readonly request: ApprovalRequest }
  | { readonly kind: 'accepted'; readonly tools: readonly string[] }
  | { readonly kind: 'declined' };

export interface Proposing {
  propose(request: ProposeRequest, call: AuthoringCall): Promise<ProposalAnswer>;
}

/** The name by which questions about proposals are bound. */
const TOOL = 'plugbridge_propose_plugin';

/** Makes plugins of drafts, which are untrusted until a person says otherwise. */
export function createProposing(deps: AuthoringDeps, drafts: DraftStore): Proposing {
  const { catalog, journal, approvals, trust, proposals } = deps;
  const clientOf = ({ caller }: AuthoringCall) => ({ client: caller.client, clientVersion: caller.clientVersion });
  const refuse = (name: string, reason: string): ProposalAnswer => ({ kind: 'refused', reason: `Cannot propose "${name}": ${reason}` });
  const bind = (name: string): string => digestArguments({ name });

  /** Puts the draft where the catalog finds it, untrusted. */
  const publish = async (name: string, call: AuthoringCall): Promise<PluginEntry | ProposalAnswer> => {
    const state = NameSchema.safeParse(name).success ? drafts.state(name) : undefined;
    if (!state) return refuse(name, 'there is no draft of that name; begin one with plugbridge_draft_plugin');
    if (state.status !== 'passing') return refuse(name, 'its last attempt did not pass; only what passed can be proposed');
    const taken = catalog.current().findPlugin(name);
    if (taken && !isOpenProposal(taken)) return refuse(name, 'a plugin has that name by now');
    const read = readDraftFiles(drafts.directoryOf(name), drafts.fileNames(name));
    if (!read.ok) return refuse(name, read.reason);
    mkdirSync(proposals, { recursive: true, mode: 0o700 });
    replaceDirectory(join(proposals, name), read.files, join(proposals, `.new-${randomUUID()}`));
    const entry = catalog.reload().findPlugin(name);
    if (!entry?.plugin || !isOpenProposal(entry)) return refuse(name, entry?.error ?? 'it cannot be read as a plugin');
    if (entry.plugin.digest !== state.digest) {
      rmSync(join(proposals, name), { recursive: true, force: true });
      catalog.reload();
      return refuse(name, 'its files changed since they were tried; patch it, so that they are tried again');
    }
    journal.event({
      event: 'plugin-proposed',
      plugin: name,
      detail: { digest: entry.plugin.digest, directory: entry.directory, ...clientOf(call) },
    });
    return entry;
  };

  const ask = (name: string, { plugin, directory }: PluginEntry, call: AuthoringCall): ProposalAnswer => {
    const capabilities = plugin?.requests ?? [];
    const binding = approvals.open({ tool: TOOL, argumentsDigest: bind(name), pluginDigest: plugin?.digest ?? '', capabilities });
    const description = toOneLine(plugin?.description ?? '', 200);
    const message =
      `"${call.caller.client}" wrote a plugin and proposes it. Look at ${directory}. Accepted, its commands become tools; ` +
      `what it requests has still to be granted. It says of itself: ${description}`;
    return { kind: 'ask', request: { plugin: name, command: plugin?.commands[0]?.name ?? '', message, capabilities, binding } };
  };

  /** Takes the person’s answer; it holds for the very files that they were asked about. */
  const hear = async (name: string, approval: NonNullable<CallRequest['approval']>, call: AuthoringCall): Promise<ProposalAnswer> => {
    const entry = catalog.reload().findPlugin(name);
    const plugin = entry && isOpenProposal(entry) ? entry.plugin : undefined;
    const heard = approvals.redeem(approval.binding, { tool: TOOL, argumentsDigest: bind(name), pluginDigest: plugin?.digest ?? '' });
    if (!heard.ok) return refuse(name, `${heard.reason}; call the tool again to be asked anew`);
    if (!plugin) return refuse(name, 'the proposal is gone');
    const { directory, digest } = plugin;
    if (approval.answer !== 'always') {
      journal.event({ event: 'plugin-declined', plugin: name, detail: { digest, directory, ...clientOf(call) } });
      rmSync(directory, { recursive: true, force: true });
      catalog.reload();
      return { kind: 'declined' };
    }
    journal.event({ event: 'plugin-accepted', plugin: name, detail: { digest, directory, ...clientOf(call) } });
    trust.addTrust(directory, digest);
    drafts.remove(name);
    const accepted = catalog.reload();
    return { kind: 'accepted', tools: accepted.tools.filter((tool) => tool.plugin.name === name).map((tool) => tool.definition.name) };
  };

  return {
    async propose({ name, canAsk, approval }, call) {
      if (approval) return hear(name, approval, call);
      const published = await publish(name, call);
      if ('kind' in published) return published;
      return canAsk ? ask(name, published, call) : { kind: 'proposed', directory: published.directory };
    },
  };
}
