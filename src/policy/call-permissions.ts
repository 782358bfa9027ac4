import type { RuntimeKind } from '../manifest/plugin.ts';
import { coversCapability, holdCapabilities, type HeldCapability } from './covers.ts';
import type { PolicySubject } from './evaluate.ts';
import { splitPath, type AnchorPaths } from './path-pattern.ts';
import type { EffectivePolicy } from './policy.ts';

/** Everything that decides over one call; capabilities as strings, paths canonical and absolute. */
export interface CallPermissions {
  readonly plugin: { readonly id: string; readonly runtimeKind: RuntimeKind; readonly requests: readonly string[] };
  /** `requests` narrows the plugin’s; absent means all of them. */
  readonly command: { readonly name: string; readonly requests?: readonly string[] | undefined };
  /** What a person granted this plugin for good. */
  readonly grants: readonly string[];
  /** What a person allowed for this call. */
  readonly approvals: readonly string[];
  /** What a person refused for this call. */
  readonly denials?: readonly string[] | undefined;
  readonly policy: EffectivePolicy;
  readonly paths: AnchorPaths;
  /** Our own directories (configuration, state, cache, data): only what is anchored deeper inside them can be touched. */
  readonly protectedDirectories: readonly string[];
}

/** The same, read once so that every use during the call is decided quickly. */
export interface PreparedCall {
  readonly subject: PolicySubject;
  readonly runtimeKind: RuntimeKind;
  /** What the command may ask for: its own requests, or the plugin’s. */
  readonly requests: readonly HeldCapability[];
  /** Requests of the command that the plugin’s do not cover, as written. */
  readonly excessRequests: readonly string[];
  readonly grants: readonly HeldCapability[];
  readonly approvals: readonly HeldCapability[];
  readonly denials: readonly HeldCapability[];
  readonly policy: EffectivePolicy;
  readonly places: Places;
}

/** The anchors and protected directories as segments. */
export interface Places {
  readonly root: readonly string[];
  readonly plugin: readonly string[];
  /** `$DATA` and, where there is one, `$RUN`. */
  readonly own: readonly (readonly string[])[];
  readonly protected: readonly (readonly string[])[];
}

/** Reads the capability strings and paths of a call once. Strings that cannot be read cover nothing. */
export function prepareCall(call: CallPermissions): PreparedCall {
  const { paths } = call;
  const declared = holdCapabilities(call.plugin.requests, paths);
  const wanted = call.command.requests === undefined ? declared : holdCapabilities(call.command.requests, paths);
  const isDeclared = (one: HeldCapability): boolean => declared.some((held) => coversCapability(held, one));
  return {
    subject: { plugin: call.plugin.id, directory: paths.plugin, command: call.command.name, paths },
    runtimeKind: call.plugin.runtimeKind,
    requests: wanted.filter(isDeclared),
    excessRequests: wanted.filter((one) => !isDeclared(one)).map((one) => one.text),
    grants: holdCapabilities(call.grants, paths),
    approvals: holdCapabilities(call.approvals, paths),
    denials: holdCapabilities(call.denials ?? [], paths),
    policy: call.policy,
    places: {
      root: splitPath(paths.root),
      plugin: splitPath(paths.plugin),
      own: [paths.data, paths.run].flatMap((path) => (path === undefined ? [] : [splitPath(path)])),
      protected: call.protectedDirectories.map(splitPath),
    },
  };
}
