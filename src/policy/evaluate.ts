import { coversPath, coversPattern, isWithin, mayOverlap, placePattern, splitPath, tryParsePathPattern } from './path-pattern.ts';
import type { AnchorPaths, PlacedPattern } from './path-pattern.ts';
import type { HeldCapability } from './covers.ts';
import { matchesText } from './glob.ts';
import {
  runKeyOf,
  stricter,
  type Effect,
  type EffectivePolicy,
  type PolicyKey,
  type PolicyLayer,
  type Rule,
  type RuleKind,
} from './policy.ts';
import { capabilityOf, type Use } from './query.ts';

/** Whom a policy is asked about. */
export interface PolicySubject {
  readonly plugin: string;
  /** The plugin’s canonical directory: decides which layers hold for it. */
  readonly directory: string;
  readonly command: string;
  readonly paths: AnchorPaths;
}

/** What a policy says, and a sentence fragment that says where it says so, made only when it is needed. */
export interface Ruling {
  readonly effect: Effect;
  because(): string;
}

/** What the strictest layer of a policy says about one use. */
export function ruleOn(policy: EffectivePolicy, subject: PolicySubject, use: Use): Ruling {
  const rulings = layersFor(policy, subject).map((layer) => ruleOfLayer(layer, subject, use));
  return rulings.reduce((one, other) => (stricter(one.effect, other.effect) === one.effect ? one : other));
}

function layersFor(policy: EffectivePolicy, subject: PolicySubject): readonly PolicyLayer[] {
  const directory = splitPath(subject.directory);
  const holding = policy.tightening.filter((layer) => layer.pluginsIn === undefined || isWithin(splitPath(layer.pluginsIn), directory));
  return [policy.base, ...holding];
}

function ruleOfLayer(layer: PolicyLayer, subject: PolicySubject, use: Use): Ruling {
  const key = keyOf(use.kind, use.kind === 'run' ? use.runtime : undefined);
  const index = layer.rules.findIndex((rule) => matchesUse(rule, subject, use));
  const rule = layer.rules[index];
  if (rule !== undefined)
    return { effect: rule.effect, because: () => rule.reason ?? `rule ${index + 1} of ${nameOf(layer)} says ${rule.effect}` };
  if (key === undefined) return withoutKey(use.kind, layer);
  const effect = layer.keys[key];
  if (effect !== undefined) return { effect, because: () => `${key} is "${effect}" in ${nameOf(layer)}` };
  const absent = layer.absent[key];
  const where = (): string => (layer.file === undefined ? `without a policy file ${key}` : `${key} is absent from ${nameOf(layer)}, which`);
  return { effect: absent, because: () => `${where()} means ${absent}` };
}

/**
 * Every effect that a policy may have on uses of a capability, which covers many uses: a rule that matches some of them
 * adds its effect, the first that matches all of them ends the search.
 */
export function effectsOn(policy: EffectivePolicy, subject: PolicySubject, held: HeldCapability): ReadonlySet<Effect> {
  const perLayer = layersFor(policy, subject).map((layer) => effectsOfLayer(layer, subject, held));
  return perLayer.reduce((ones, others) => new Set([...ones].flatMap((one) => [...others].map((other) => stricter(one, other)))));
}

function effectsOfLayer(layer: PolicyLayer, subject: PolicySubject, held: HeldCapability): ReadonlySet<Effect> {
  const effects = new Set<Effect>();
  const { kind } = held.capability;
  if (kind === 'net:none') return new Set<Effect>(['allow']);
  for (const rule of layer.rules) {
    const share = shareOf(rule, subject, held);
    if (share !== 'none') effects.add(rule.effect);
    if (share === 'all') return effects;
  }
  const key = keyOf(kind, held.capability.kind === 'run' ? held.capability.runtime : undefined);
  if (kind === 'run' && key === undefined) return effects.add('deny');
  return effects.add(key === undefined ? withoutKey(kind, layer).effect : (layer.keys[key] ?? layer.absent[key]));
}

function keyOf(kind: RuleKind, runtime: string | undefined): PolicyKey | undefined {
  switch (kind) {
    case 'read:fs':
      return 'file_read';
    case 'write:fs':
      return 'file_write';
    case 'exec':
      return 'shell_commands';
    case 'net':
      return 'network';
    case 'run':
      return runtime === undefined ? undefined : runKeyOf(runtime);
    case 'env':
    case 'storage:read':
    case 'storage:write':
    case 'session:write':
      return undefined;
  }
}

/** No key rules over these: a plugin’s own storage is its own, the rest is for a person to grant. */
function withoutKey(kind: RuleKind, layer: PolicyLayer): Ruling {
  if (kind === 'storage:read' || kind === 'storage:write') return { effect: 'allow', because: () => 'a plugin’s storage is its own' };
  return { effect: layer.absent.other, because: () => `${kind} always requires approval` };
}

const nameOf = (layer: PolicyLayer): string => (layer.file === undefined ? 'the defaults' : `"${layer.file}"`);

function matchesUse(rule: Rule, subject: PolicySubject, use: Use): boolean {
  if (!matchesSubject(rule, subject)) return false;
  if (rule.capability !== undefined) {
    const key = keyOf(use.kind, use.kind === 'run' ? use.runtime : undefined);
    const names = [use.kind, capabilityOf(use, subject.paths), ...(key === undefined ? [] : [key])];
    const { capability } = rule;
    if (!names.some((name) => matchesText(capability, name))) return false;
  }
  if (rule.path !== undefined) {
    const place = placeOfRule(rule.path, subject.paths);
    return (use.kind === 'read:fs' || use.kind === 'write:fs') && place !== undefined && coversPath(place, use.segments);
  }
  if (rule.host !== undefined) {
    const host = rule.host.toLowerCase();
    return use.kind === 'net' && [use.host, use.address].some((name) => name !== undefined && matchesText(host, bare(name)));
  }
  return true;
}

const bare = (host: string): string => (host.startsWith('[') ? host.slice(1, -1) : host);

const matchesSubject = (rule: Rule, subject: PolicySubject): boolean =>
  (rule.plugin === undefined || matchesText(rule.plugin, subject.plugin)) &&
  (rule.command === undefined || matchesText(rule.command, subject.command));

function placeOfRule(path: string, paths: AnchorPaths): PlacedPattern | undefined {
  const pattern = tryParsePathPattern(path);
  return 'issue' in pattern ? undefined : placePattern(pattern, paths);
}

type Share = 'all' | 'some' | 'none';

/** How much of what a capability covers a rule matches. */
function shareOf(rule: Rule, subject: PolicySubject, held: HeldCapability): Share {
  if (!matchesSubject(rule, subject)) return 'none';
  const shares = [shareByName(rule.capability, held), shareByPath(rule.path, subject.paths, held), shareByHost(rule.host, held)];
  return shares.includes('none') ? 'none' : shares.includes('some') ? 'some' : 'all';
}

function shareByName(pattern: string | undefined, held: HeldCapability): Share {
  const { kind } = held.capability;
  if (pattern === undefined || kind === 'net:none') return 'all';
  const key = keyOf(kind, held.capability.kind === 'run' ? held.capability.runtime : undefined);
  if (pattern === key || matchesText(pattern, kind) || pattern === `${kind}:*`) return 'all';
  const isSingle = kind === 'exec' || kind === 'env' || kind === 'run';
  if (isSingle) return matchesText(pattern, kind === 'exec' ? `exec:${held.capability.program}` : held.text) ? 'all' : 'none';
  return pattern.startsWith(`${kind}:`) ? 'some' : 'none';
}

function shareByPath(path: string | undefined, paths: AnchorPaths, held: HeldCapability): Share {
  if (path === undefined) return 'all';
  const { kind } = held.capability;
  const place = placeOfRule(path, paths);
  if (place === undefined || held.place === undefined || (kind !== 'read:fs' && kind !== 'write:fs')) return 'none';
  if (coversPattern(place, held.place)) return 'all';
  return mayOverlap(place, held.place) ? 'some' : 'none';
}

function shareByHost(host: string | undefined, held: HeldCapability): Share {
  if (host === undefined) return 'all';
  if (held.capability.kind !== 'net') return 'none';
  const pattern = host.toLowerCase();
  if (pattern === '*') return 'all';
  if (held.capability.host.includes('*')) return 'some';
  return matchesText(pattern, bare(held.capability.host)) ? 'all' : 'none';
}
