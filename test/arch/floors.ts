/**
 * Rooms and floors of the code: a file imports from its own room and from lower floors,
 * and enters another room only by its door, `index.ts` (or that of one of its parts).
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

/** Floor of each room. Rooms on one floor do not know each other. */
export const floors: Readonly<Record<string, number>> = {
  base: 0,
  smtp: 1,
  ldap: 1,
  dns: 1,
  tls: 1,
  processes: 1,
  mail: 2,
  config: 3,
  logs: 3,
  pipeline: 3,
  'back-pressure': 3,
  directory: 4,
  certificates: 4,
  queue: 4,
  'smtp-receive': 5,
  categorizer: 5,
  'smtp-send': 5,
  agents: 5,
  pickup: 5,
  'edge-sync': 5,
  compliance: 5,
  'mailbox-transport': 5,
  'front-end': 5,
  'server-state': 5,
  'tls-reports': 5,
  'mta-sts': 5,
  cmdlets: 6,
  shell: 7,
  console: 7,
  management: 8,
  cli: 9,
  services: 10,
  lab: 10,
  main: 11,
};

/** The npm packages that the product stands on, each with the one room that may import it. */
export const wrapped: Readonly<Record<string, readonly string[]>> = {
  'smtp-server': ['smtp-receive'],
  nodemailer: ['smtp-send'],
  'iconv-lite': ['smtp-send'],
  ldapts: ['directory', 'edge-sync'],
  ldapjs: ['directory'],
  '@ldapjs': ['directory'],
  lmdb: ['directory', 'queue', 'edge-sync'],
  'node-forge': ['tls', 'certificates'],
  pino: ['logs'],
  'dns-packet': ['dns'],
  canonicalize: ['compliance'],
  commander: ['cli'],
  mailauth: ['tls-reports'],
  'acme-client': ['certificates'],
  'ipaddr.js': ['base'],
};

const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

/** Specifiers that a source text imports, static and dynamic. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** The room of a path below `src`: its first folder, or `main` for what lies outside any room. */
export function roomOf(path: string): string {
  const [first = '', second] = path.split(sep);
  if (second === undefined || first === 'bin') return 'main';
  return first;
}

/** What is wrong with one import, in words; undefined when it is allowed. */
export function violation(file: string, specifier: string): string | undefined {
  const from = roomOf(file);
  if (!(from in floors)) return `${file}: room '${from}' stands on no floor`;
  if (!specifier.startsWith('.')) return packageViolation(file, from, specifier);
  const target = normalize(join(dirname(file), specifier));
  if (target.startsWith('..'))
    return specifier.endsWith('package.json') ? undefined : `${file}: ${specifier} leaves src`;
  const to = roomOf(target);
  // A part of a room may have a door of its own, for who needs that part alone.
  const isDoor = target === join(to, 'index.ts') || /^[^/]+\/[^/]+\/index\.ts$/.test(target);
  if (from === to) {
    return isDoor && from !== 'main' ? `${file}: imports its own door` : undefined;
  }
  if (to === 'main') return `${file}: imports ${target}, which is above every room`;
  if (!(to in floors)) return `${file}: ${target} is in no known room`;
  if (!isDoor) return `${file}: enters ${to} by ${target}, not by its door`;
  if ((floors[to] ?? 0) >= (floors[from] ?? 0))
    return `${file}: ${from} (floor ${floors[from]}) imports ${to} (floor ${floors[to]})`;
  return undefined;
}

function packageViolation(file: string, room: string, specifier: string): string | undefined {
  const name = specifier.split('/')[0] ?? specifier;
  const rooms = wrapped[specifier] ?? wrapped[name];
  if (rooms === undefined || rooms.includes(room)) return undefined;
  return `${file}: ${specifier} belongs to ${rooms.join(' or ')}`;
}

/** Every violation below a source folder. */
export function violations(sourceRoot: string): string[] {
  return walk(sourceRoot).flatMap((path) => {
    const file = relative(sourceRoot, path);
    return importsOf(readFileSync(path, 'utf8'))
      .map((specifier) => violation(file, specifier))
      .filter((text) => text !== undefined);
  });
}

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return walk(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}
