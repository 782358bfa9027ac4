import { join } from 'node:path';

import { writeFiles } from '../fixtures/manifests/write-plugin.ts';

/** One command for each thing that a client has to cope with; `port` is the one host that it may ask for. */
const manifestOf = (port: number): string => `
[plugin]
name = "odd-jobs"
version = "1.0.0"
description = "Does one thing each that clients meet with scripts"
runtime = "python"
main = "main.py"
permissions = ["file_write"]
capabilities = ["net:127.0.0.1:${port}"]

[[commands]]
name = "fail"
description = "End with the exit code 3 and a last word."
permissions = []
input = {}

[[commands]]
name = "tell"
description = "Say three words on stderr."
permissions = []
input = {}

[[commands]]
name = "spin"
description = "Say a word, then never end, nor what it started."
permissions = []
input = {}

[[commands]]
name = "write"
description = "Write a file."
permissions = ["file_write"]
[commands.input]
path = { type = "string" }
text = { type = "string" }

[[commands]]
name = "fetch"
description = "Get what an address says."
capabilities = ["net:127.0.0.1:${port}"]
[commands.input]
url = { type = "string" }
`;

const SCRIPT = `import json, os, signal, subprocess, sys

def fail(arguments):
    print('no such row', file=sys.stderr)
    sys.exit(3)

def tell(arguments):
    for word in ('first', 'second', 'third'):
        print(word, file=sys.stderr, flush=True)
    return {'told': 3}

def spin(arguments):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(['setsid', 'sleep', '86399'])
    print('spinning', file=sys.stderr, flush=True)
    while True:
        pass

def write(arguments):
    with open(arguments['path'], 'w') as file:
        file.write(arguments['text'])
    return {'written': arguments['path']}

def fetch(arguments):
    import urllib.error, urllib.request
    try:
        return {'body': urllib.request.urlopen(arguments['url'], timeout=10).read().decode()}
    except urllib.error.HTTPError as error:
        return {'status': error.code, 'body': error.read().decode()}

arguments = json.load(sys.stdin)
jobs = {'fail': fail, 'tell': tell, 'spin': spin, 'write': write, 'fetch': fetch}
print(json.dumps(jobs[os.environ['KAIZEN_COMMAND']](arguments)))
`;

/** Puts the plugin into a plugin directory; gives its own. */
export const addOddJobs = (plugins: string, port = 1): string =>
  writeFiles(join(plugins, 'odd-jobs'), { 'PLUGIN.toml': manifestOf(port), 'main.py': SCRIPT });
