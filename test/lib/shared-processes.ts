/**
 * Which files of tests run in one process: most of a small file's time is the start of a process and the loading of what its
 * neighbours load too. A file has a process of its own where it, or a helper that it imports, touches what belongs to the process
 * (environment, mask, folder, signals, heap, clocks) or starts programs that live on, and where it sets up something for all its tests.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Files of one process at most, so that no processor waits for a long one at the end. */
const maxFiles = 14;

/** Signs, in a file or a helper, that it is not alone in the world. */
const own = [
  /\bprocess\.(?:env(?:\[[^\]]*\])? *(?:\?\?)?=[^=]|(?:chdir|umask|on|once|exit|kill|emit|memoryUsage|cpuUsage|title)\b)/,
  /\bdelete process\.env\b/,
  /\b(?:spawn|fork|gc)\(|\bnew Worker\(|\bmock\.|\bsetFlagsFromString\b|\bglobalThis\b|\bgetActiveResourcesInfo\b|\bperformance\.now\b/,
  // Hooks of the whole file, which would be those of all files.
  /^(?:before|after|beforeEach|afterEach)\(/m,
];
/** Tests that a helper defines could not be told from those that it defines for another file. */
const testsOfHelper = /^import \{[^}]*\b(?:test|describe|it|suite|before|after)\b[^}]*\} from 'node:test'/m;

/** One process of the run: a file of its own, or one that imports several. */
export interface TestProcess {
  readonly entry: string;
  readonly files: readonly string[];
}

/** Shares processes among the files of each folder. Writes their entries into `folder`; files keep their order. */
export function sharedProcesses(files: readonly string[], folder: string): TestProcess[] {
  const texts = new Map<string, string>();
  const textOf = (file: string): string => {
    // What looks like an import may be a sample in a test.
    const text = texts.get(file) ?? (existsSync(file) ? readFileSync(file, 'utf8') : '');
    texts.set(file, text);
    return text;
  };
  const processes: TestProcess[] = [];
  const sharing = new Map<string, string[]>();
  for (const file of files) {
    if (/fuzz/.test(file) || !mayShare(file, textOf)) processes.push({ entry: file, files: [file] });
    else sharing.set(dirname(file), [...(sharing.get(dirname(file)) ?? []), file]);
  }
  mkdirSync(folder, { recursive: true });
  for (const [room, all] of sharing) {
    const count = Math.ceil(all.length / maxFiles);
    for (let part = 0; part < count; part++) {
      const some = all.filter((_, index) => index % count === part);
      const entry = join(folder, `${room.replace(/.*\/test\/|^\//, '').replaceAll('/', '-')}-${part}.test.mjs`);
      writeFileSync(entry, some.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join(''));
      processes.unshift(some.length === 1 ? { entry: some[0] ?? '', files: some } : { entry, files: some });
    }
  }
  return processes;
}

/** Looks at the file and at all helpers of tests that it imports. */
function mayShare(file: string, textOf: (file: string) => string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return true;
  const isHelper = seen.size > 0;
  seen.add(file);
  const text = textOf(file);
  if (own.some((sign) => sign.test(text)) || (isHelper && testsOfHelper.test(text))) return false;
  const imported = [...text.matchAll(/(?:from|import\() *'(\.[^']+\.ts)'/g)].map(([, name = '']) =>
    join(dirname(file), name),
  );
  return imported.filter((name) => name.includes('/test/')).every((name) => mayShare(name, textOf, seen));
}
