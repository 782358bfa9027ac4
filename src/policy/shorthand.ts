import type { RuntimeKind } from '../manifest/plugin.ts';
import { formatCapability, parseCapability, tryParseCapability } from './capability.ts';
import { isPolicyKey, runKeyOf, type PolicyKey } from './policy.ts';
import { HostError } from '../errors.ts';

/** The part of a plugin that shorthands are expanded with. */
export interface GrantedPlugin {
  readonly requests: readonly string[];
  readonly runtimeKind: RuntimeKind;
}

/**
 * Expands a word of `plugbridge grant` into capability strings in their one spelling: a capability stands for itself, a
 * policy key for what it rules over: `file_read` for `read:fs:$ROOT`, `file_write` for `write:fs:$ROOT`, `network`,
 * `shell_commands` and `shell` for what the plugin requests of these, `wasm_execution` and its like for running it.
 * Throws HostError POLICY_CAPABILITY_INVALID for anything else, and where a key stands for nothing.
 */
export function expandGrant(word: string, plugin: GrantedPlugin): readonly string[] {
  const key = word === 'shell' ? 'shell_commands' : word;
  if (!isPolicyKey(key)) return [formatCapability(parseCapability(word))];
  const expanded = expandKey(key, plugin);
  if (expanded.length > 0) return expanded;
  throw new HostError('POLICY_CAPABILITY_INVALID', { capability: word, reason: 'the plugin requests nothing that it stands for' });
}

function expandKey(key: PolicyKey, plugin: GrantedPlugin): readonly string[] {
  switch (key) {
    case 'file_read':
      return ['read:fs:$ROOT'];
    case 'file_write':
      return ['write:fs:$ROOT'];
    case 'network':
      return requestsOf(plugin, 'net');
    case 'shell_commands':
      return requestsOf(plugin, 'exec');
    case 'wasm_execution':
    case 'script_execution':
    case 'lua_execution':
    case 'process_execution':
      return runKeyOf(plugin.runtimeKind) === key ? [`run:${plugin.runtimeKind}`] : [];
  }
}

function requestsOf(plugin: GrantedPlugin, kind: 'net' | 'exec'): readonly string[] {
  return plugin.requests.flatMap((text) => {
    const capability = tryParseCapability(text);
    return 'issue' in capability || capability.kind !== kind ? [] : [formatCapability(capability)];
  });
}

/** The command with which a person grants capabilities, ready for a shell. */
export function grantCommand(plugin: string, ...capabilities: readonly string[]): string {
  return ['plugbridge grant', ...[plugin, ...capabilities.map(toShorthand)].map(shellWord)].join(' ');
}

function toShorthand(capability: string): string {
  if (capability === 'read:fs:$ROOT') return 'file_read';
  if (capability === 'write:fs:$ROOT') return 'file_write';
  return capability.startsWith('run:') ? (runKeyOf(capability.slice('run:'.length)) ?? capability) : capability;
}

const shellWord = (word: string): string => (/^[\w.:/@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);
