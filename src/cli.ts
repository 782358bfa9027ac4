#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';

import type { AuditOptions } from './commands/audit.ts';
import { EXIT, EXIT_OF_FAULT } from './commands/exit-codes.ts';
import { createProcessOutput } from './commands/output.ts';
import { HostError } from './errors.ts';
import { closeInheritedDescriptors } from './executors/sandbox/inherited-descriptors.ts';
import type { Host, HostOptions } from './host.ts';
import { createLog } from './log.ts';
import { VERSION } from './version.ts';

/** Options that every verb takes. */
interface CommonOptions {
  readonly plugins: readonly string[];
  readonly root?: string;
  readonly config?: string;
  readonly policy?: string;
  readonly json: boolean;
}

const output = createProcessOutput();
const collect = (value: string, before: readonly string[]): string[] => [...before, value];

async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = new Command('plugbridge')
    .description('One MCP server for every plugin')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(see plugbridge --help)')
    .configureOutput({ writeErr: (text) => output.note(text.trimEnd()) })
    .addHelpText('after', '\nA plugin’s name is a verb too: plugbridge vault capture "a thought"');

  /** A verb with the common options; `run` gives the exit code. */
  const verb = (definition: string, description: string): Command =>
    program
      .command(definition)
      .description(description)
      .option('--plugins <dir>', 'a plugin directory, trusted because it was named (repeatable)', collect, [])
      .option('--root <dir>', 'the directory that file access is anchored to')
      .option('--config <file>', 'configuration file')
      .option('--policy <file>', 'policy file')
      .option('--json', 'print JSON', false);
  const act = (command: Command, run: (options: never, args: string[]) => Promise<number>): void => {
    command.action(async () => {
      exitCode = await run(command.opts() as never, command.args);
    });
  };

  const serve = verb('serve', 'serve MCP over stdio, or over HTTP')
    .option('--http <[host:]port>', 'serve over HTTP; loopback unless a host is given')
    .option('--no-auth', 'serve without a token; only on loopback')
    .option('--progressive', 'put plugins with keywords behind plugbridge_search and plugbridge_call', false)
    .option('--authoring', 'let clients draft, try and propose plugins, which a person then accepts', false);
  act(serve, async (options: CommonOptions & { http?: string; auth: boolean; progressive: boolean; authoring: boolean }) => {
    const { runServe } = await import('./commands/serve.ts');
    return runServe({ ...options, host: hostOptions(options), output });
  });

  act(verb('list', 'list the plugins and their tools').alias('ls'), async (options: CommonOptions) => {
    const { runList } = await import('./commands/list.ts');
    return withHost(options, (host) => runList(host, { json: options.json, output }));
  });

  act(verb('info <plugin>', 'show one plugin: commands, requests, grants, isolation'), async (options: CommonOptions, [name = '']) => {
    const { runInfo } = await import('./commands/info.ts');
    return withHost(options, (host) => runInfo(host, { name, json: options.json, output }));
  });

  const call = verb('call <plugin> <command>', 'call a command of a plugin')
    .option('--arg <name=value>', 'an argument (repeatable)', collect, [])
    .option('--args <json>', 'all arguments as a JSON object');
  act(call, async (options: CommonOptions & { arg: string[]; args?: string }, [plugin = '', command = '']) => {
    const { runCall } = await import('./commands/call.ts');
    return withHost(options, (host, signal) =>
      runCall(host, { plugin, command, pairs: options.arg, args: options.args, json: options.json, output, signal }),
    );
  });

  act(verb('grant <plugin> <capability...>', 'allow a plugin something that it requests'), async (options: CommonOptions, args) => {
    const { runGrant } = await import('./commands/grant.ts');
    return withHost(options, (host) => runGrant(host, { plugin: args[0] ?? '', capabilities: args.slice(1), json: options.json, output }));
  });
  act(
    verb('revoke <plugin> [capability...]', 'take back what was granted; without a capability, all of it'),
    async (options: CommonOptions, args) => {
      const { runRevoke } = await import('./commands/grant.ts');
      return withHost(options, (host) =>
        runRevoke(host, { plugin: args[0] ?? '', capabilities: args.slice(1), json: options.json, output }),
      );
    },
  );
  act(
    verb('trust <plugin>', 'let a plugin run that the workspace brought or a client wrote, as it is now').option(
      '--revoke',
      'no longer',
      false,
    ),
    async (options: CommonOptions & { revoke: boolean }, [plugin = '']) => {
      const { runTrust } = await import('./commands/trust.ts');
      return withHost(options, (host) => runTrust(host, { plugin, revoke: options.revoke, json: options.json, output }));
    },
  );

  const audit = verb('audit [query|verify]', 'read the audit journal, or verify its hash chains')
    .option('--plugin <name>', 'only calls of this plugin')
    .option('--command <name>', 'only calls of this command')
    .option('--client <name>', 'only calls from this client')
    .option('--call <id>', 'only this call')
    .option('--since <time>', 'from this time on: ISO 8601, or 30m, 12h, 7d ago')
    .option('--until <time>', 'up to this time')
    .addOption(new Option('--outcome <kind>', 'only calls that ended so').choices(['ok', 'refused', 'failed', 'timed-out', 'cancelled']))
    .option('--limit <count>', 'the newest so many records')
    .option('--follow', 'go on with new records', false)
    .option('--expect <digest>', 'verify: the anchor that an earlier verify printed');
  act(audit, async (options: CommonOptions & Omit<AuditOptions, 'output'>, [what = 'query']) => {
    const { runAudit } = await import('./commands/audit.ts');
    return runAudit(what, { ...options, output });
  });

  act(verb('doctor', 'check what this machine enforces, and why plugins are missing'), async (options: CommonOptions) => {
    const { runDoctor } = await import('./commands/doctor.ts');
    return withHost(options, (host) => runDoctor(host, { json: options.json, output }));
  });

  const validate = verb('validate <dir>', 'check a plugin and try its commands').option(
    '--no-run',
    'check it without running anything of it',
  );
  act(validate, async (options: CommonOptions & { run: boolean }, [directory = '']) => {
    const { runValidate } = await import('./commands/validate.ts');
    return withHost(options, (host, signal) => runValidate(host, { directory, run: options.run, json: options.json, output, signal }));
  });

  act(verb('test <plugin>', 'run the tests that a plugin brings along'), async (options: CommonOptions, [plugin = '']) => {
    const { runTest } = await import('./commands/test.ts');
    return withHost(options, (host, signal) => runTest(host, { plugin, json: options.json, output, signal }));
  });

  const dependencies = verb('dependencies <plugin>', 'install the packages that a script plugin declares')
    .alias('deps')
    .option('--allow-scripts', 'let packages run code while they are installed', false);
  act(dependencies, async (options: CommonOptions & { allowScripts: boolean }, [plugin = '']) => {
    const { runDependencies } = await import('./commands/dependencies.ts');
    const { createProgressLine } = await import('./commands/progress-line.ts');
    const progress = createProgressLine(process.stderr, process.env);
    const { allowScripts, json } = options;
    return withHost(options, (host, signal) => runDependencies(host, { plugin, allowScripts, json, output, progress, signal }));
  });

  const begin = verb('new <system> <name>', 'begin a plugin that works, with a test')
    .option('--language <language>', 'python, node, typescript, bash or ruby', 'python')
    .option('--dir <dir>', 'where its directory is made', '.');
  act(begin, async (options: CommonOptions & { language: string; dir: string }, [system = '', name = '']) => {
    const { runNew } = await import('./commands/new.ts');
    return runNew({ system, name, language: options.language, dir: options.dir, json: options.json, output });
  });

  const connect = verb('connect <client>', 'enter the server into claude-code, cursor or zed')
    .addOption(new Option('--scope <scope>', 'whose configuration').choices(['user', 'project']).default('user'))
    .option('--name <key>', 'the name of the entry', 'plugins')
    .option('--http <url>', 'connect to a running server instead of starting one')
    .option('--progressive', 'pass --progressive to the server', false)
    .option('--print', 'print the entry and change nothing', false);
  act(
    connect,
    async (
      options: CommonOptions & { scope: 'user' | 'project'; name: string; http?: string; print: boolean; progressive: boolean },
      [client = ''],
    ) => {
      const { runConnectVerb } = await import('./commands/connect-verb.ts');
      return runConnectVerb({ ...options, client, output });
    },
  );

  const known = new Set(program.commands.flatMap((command) => [command.name(), ...command.aliases(), 'help']));
  const [first] = argv;
  try {
    if (first !== undefined && !first.startsWith('-') && !known.has(first)) exitCode = await runPlugin(argv);
    // Clients start the bare command; options without a verb are those of `serve`.
    else if (first === undefined || (first.startsWith('-') && !['-h', '--help', '-V', '--version'].includes(first))) {
      await program.parseAsync(['serve', ...argv], { from: 'user' });
    } else await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof HostError)) throw error;
    output.note(`${error.message} [${error.code}]`);
    return EXIT_OF_FAULT[error.fault];
  }
  return exitCode;
}

/** `plugbridge [common options] PLUGIN COMMAND words…`; common options may also stand before the words after `--`. */
async function runPlugin(argv: readonly string[]): Promise<number> {
  const { splitPluginVerb } = await import('./commands/plugin-verb.ts');
  const { plugin, command, words, common } = splitPluginVerb(argv);
  const { describePlugin, runPluginVerb } = await import('./commands/call.ts');
  return withHost(common, async (host, signal) => {
    if (command === undefined) {
      output.write(describePlugin(host, plugin));
      return EXIT.ok;
    }
    return runPluginVerb(host, { plugin, command, words, json: common.json, output, signal });
  });
}

function hostOptions(options: CommonOptions): HostOptions {
  return {
    plugins: options.plugins,
    root: options.root,
    configFile: options.config,
    policyFile: options.policy,
    environment: process.env,
    workingDirectory: process.cwd(),
  };
}

/** Makes the host, runs one verb with it, and closes it, whatever happens; Ctrl-C cancels the verb. */
async function withHost(options: CommonOptions, run: (host: Host, signal: AbortSignal) => Promise<number>): Promise<number> {
  const { createHost } = await import('./host.ts');
  // A verb says itself what went wrong; the log is for those who ask for it.
  const host = createHost({ ...hostOptions(options), log: createLog(process.env['PLUGBRIDGE_LOG'] ?? 'fatal') });
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    return await run(host, interrupt.signal);
  } finally {
    await host.close();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

// Before anything opens a descriptor: what was inherited would reach every sandbox.
closeInheritedDescriptors();
process.exitCode = await main(process.argv.slice(2));
