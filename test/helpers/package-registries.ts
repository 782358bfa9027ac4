import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { dirname, join } from 'node:path';

import { useHttpServer } from './http-server.ts';
import { useTmp } from './tmp.ts';

/** A package server on loopback. */
export interface Registry {
  readonly url: string;
  readonly port: number;
  /** The paths that were asked for, in order. */
  readonly requests: readonly string[];
}

export type Files = Readonly<Record<string, string>>;

/** A page that leads elsewhere. */
interface Redirect {
  readonly location: string;
}
type Pages = Record<string, string | Buffer | Redirect>;

/** Serves bytes by path; what is not there is 404. `url` is known only once it listens, so that pages are made then. */
async function serve(makePages: (url: string) => Pages): Promise<Registry> {
  const requests: string[] = [];
  let pages: Pages = {};
  const answer: RequestListener = (request: IncomingMessage, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
    requests.push(path);
    const page = pages[path];
    if (page !== undefined && typeof page !== 'string' && 'location' in page) {
      response.writeHead(302, { location: page.location }).end();
      return;
    }
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': path.endsWith('/') ? 'text/html' : 'application/octet-stream' });
    response.end(request.method === 'HEAD' ? undefined : page);
  };
  const { port } = await useHttpServer(answer);
  const url = `http://127.0.0.1:${port}/`;
  pages = makePages(url);
  return { url, port, requests };
}

export function writeFiles(directory: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly files?: Files;
  readonly scripts?: Files;
  readonly dependencies?: Files;
  /** Where its tarball is said to lie, when that is not the registry. */
  readonly tarballOrigin?: string;
}

export interface BuiltNpmPackage extends NpmPackage {
  readonly tarball: Buffer;
  readonly integrity: string;
}

/** The tarball that `npm publish` would upload: everything below `package/`. */
export function buildNpmPackage(description: NpmPackage): BuiltNpmPackage {
  const { name, version, files = {}, scripts, dependencies } = description;
  const directory = useTmp();
  const manifest = { name, version, main: 'index.js', scripts, dependencies };
  writeFiles(join(directory, 'package'), { 'package.json': JSON.stringify(manifest), ...files });
  const tarball = execFileSync('tar', ['--owner=0', '--group=0', '-czf', '-', 'package'], { cwd: directory });
  return { ...description, tarball, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` };
}

/** A registry of npm packages: a packument for each name, and tarballs. */
export function useNpmRegistry(packages: readonly BuiltNpmPackage[]): Promise<Registry> {
  return serve((url) => {
    const pages: Pages = {};
    for (const name of new Set(packages.map((one) => one.name))) {
      const versions = packages.filter((one) => one.name === name);
      pages[`/${name}`] = JSON.stringify({
        name,
        'dist-tags': { latest: versions.at(-1)?.version },
        versions: Object.fromEntries(versions.map((one) => [one.version, describeVersion(one, url)])),
      });
      for (const one of versions) pages[`/${name}/-/${one.version}.tgz`] = one.tarball;
    }
    return pages;
  });
}

const tarballUrl = ({ name, version, tarballOrigin }: NpmPackage, url: string): string => `${tarballOrigin ?? url}${name}/-/${version}.tgz`;

function describeVersion(one: BuiltNpmPackage, url: string): object {
  const { name, version, dependencies, scripts, integrity } = one;
  const hasInstallScript = scripts !== undefined;
  return { name, version, dependencies, scripts, hasInstallScript, dist: { tarball: tarballUrl(one, url), integrity } };
}

/** A `package-lock.json` of version 3 that names these packages. */
export function toNpmLock(packages: readonly BuiltNpmPackage[], url: string, over: { integrity?: string } = {}): string {
  const entries = packages.map((one) => [
    `node_modules/${one.name}`,
    { version: one.version, resolved: tarballUrl(one, url), integrity: over.integrity ?? one.integrity },
  ]);
  const dependencies = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  return JSON.stringify({
    name: 'plugin',
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name: 'plugin', dependencies }, ...Object.fromEntries(entries) },
  });
}

export interface Distribution {
  readonly file: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

const toDistribution = (file: string, bytes: Buffer): Distribution => ({
  file,
  bytes,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

const ZIP = `
import io, json, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as archive:
    for name, text in json.load(sys.stdin).items():
        archive.writestr(name, text)
sys.stdout.buffer.write(out.getvalue())
`;

/** A pure wheel (packaging.python.org, “Binary distribution format”). */
export function buildWheel(name: string, version: string, files: Files, requires: readonly string[] = []): Distribution {
  const info = `${name}-${version}.dist-info`;
  const all = {
    ...files,
    [`${info}/METADATA`]: [
      'Metadata-Version: 2.1',
      `Name: ${name}`,
      `Version: ${version}`,
      ...requires.map((one) => `Requires-Dist: ${one}`),
      '',
    ].join('\n'),
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  const record = [...Object.keys(all), `${info}/RECORD`].map((file) => `${file},,\n`).join('');
  const input = JSON.stringify({ ...all, [`${info}/RECORD`]: record });
  return toDistribution(`${name}-${version}-py3-none-any.whl`, execFileSync('/usr/bin/python3', ['-I', '-c', ZIP], { input }));
}

const BACKEND = `
import os, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = 'NAME-VERSION-py3-none-any.whl'
    info = 'NAME-VERSION.dist-info'
    files = {
        'NAME.py': 'BUILT = True\\n',
        info + '/METADATA': 'Metadata-Version: 2.1\\nName: NAME\\nVersion: VERSION\\n',
        info + '/WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n',
    }
    record = ''.join(f + ',,\\n' for f in [*files, info + '/RECORD'])
    with zipfile.ZipFile(os.path.join(directory, name), 'w') as archive:
        for file, text in {**files, info + '/RECORD': record}.items():
            archive.writestr(file, text)
    return name
`;

/** A source distribution whose build runs its own code and needs no other package (PEP 517, in-tree backend). */
export function buildSourceDistribution(name: string, version: string): Distribution {
  const directory = useTmp();
  const base = `${name}-${version}`;
  writeFiles(join(directory, base), {
    'PKG-INFO': `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    'pyproject.toml': `[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n`,
    'backend.py': BACKEND.replaceAll('NAME', name).replaceAll('VERSION', version),
  });
  return toDistribution(`${base}.tar.gz`, execFileSync('tar', ['-czf', '-', base], { cwd: directory }));
}

/** A simple index (PEP 503). `filesOrigin` is where its files are said to lie, when that is not the index itself. */
export function usePythonIndex(packages: Readonly<Record<string, readonly Distribution[]>>, filesOrigin?: string): Promise<Registry> {
  return serve((url) => {
    const pages: Pages = {};
    for (const [name, distributions] of Object.entries(packages)) {
      const links = distributions.map(({ file, sha256 }) => `<a href="${filesOrigin ?? url}files/${file}#sha256=${sha256}">${file}</a>`);
      pages[`/${name}/`] = `<!DOCTYPE html><html><body>${links.join('\n')}</body></html>`;
      for (const { file, bytes } of distributions) pages[`/files/${file}`] = bytes;
    }
    return pages;
  });
}

export interface GemDescription {
  readonly name: string;
  readonly version: string;
  readonly files: Files;
  readonly extensions?: readonly string[];
  readonly dependencies?: Files;
}

export interface BuiltGem extends GemDescription {
  readonly bytes: Buffer;
  /** What sources serve as `quick/Marshal.4.8/….gemspec.rz`. */
  readonly specification: Buffer;
  readonly sha256: string;
}

const BUILD_GEM = `
require 'rubygems/package'
require 'json'
require 'zlib'
given = JSON.parse($stdin.read)
spec = Gem::Specification.new do |s|
  s.name = given['name']
  s.version = given['version']
  s.summary = 'a test'
  s.authors = ['test']
  s.licenses = ['MIT']
  s.homepage = 'https://example.com'
  s.files = given['files'].keys
  s.extensions = given['extensions'] || []
  (given['dependencies'] || {}).each { |name, requirement| s.add_runtime_dependency(name, requirement) }
end
Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { Gem::Package.build(spec, false, false, 'out.gem') }
spec.files = []
File.binwrite('out.rz', Zlib::Deflate.deflate(Marshal.dump(spec)))
`;

export function buildGem(description: GemDescription): BuiltGem {
  const directory = useTmp();
  writeFiles(directory, description.files);
  execFileSync('ruby', ['-e', BUILD_GEM], { cwd: directory, input: JSON.stringify(description) });
  const bytes = readFileSync(join(directory, 'out.gem'));
  const specification = readFileSync(join(directory, 'out.rz'));
  return { ...description, bytes, specification, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * A gem source with a compact index (guides.rubygems.org, “Compact Index API”). `filesOrigin` is where requests for its gems
 * are redirected to.
 */
export function useGemSource(gems: readonly BuiltGem[], filesOrigin?: string): Promise<Registry> {
  return serve(() => {
    const pages: Pages = { '/': 'gems' };
    for (const name of new Set(gems.map((one) => one.name))) {
      const lines = gems.filter((one) => one.name === name).map(toInfoLine);
      pages[`/info/${name}`] = `---\n${lines.join('\n')}\n`;
    }
    for (const { name, version, bytes, specification } of gems) {
      const path = `gems/${name}-${version}.gem`;
      pages[`/${path}`] = filesOrigin === undefined ? bytes : { location: `${filesOrigin}${path}` };
      pages[`/quick/Marshal.4.8/${name}-${version}.gemspec.rz`] = specification;
    }
    return pages;
  });
}

function toInfoLine({ version, dependencies = {}, sha256 }: BuiltGem): string {
  const needs = Object.entries(dependencies).map(([name, requirement]) => `${name}:${requirement}`);
  return `${version} ${needs.join(',')}|checksum:${sha256}`;
}
