/** The commands of `edge directory` that write: in one transaction each, beside the running service or without it. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { naming, onFile, printableJson } from '../base/text/index.ts';
import { type DirectoryStore, ImportError, importLdif, type Restored, StoreError } from '../directory/index.ts';
import { LdifError, type LdifRecord, readLdif } from '../ldap/index.ts';
import { becomeOwner, lockStateFolder, prepareStateFolder, statePaths } from '../processes/state/index.ts';
import type { DirectoryOptions } from './directory-options.ts';
import { replaceContent } from './directory-replace.ts';
import { commandActor, onStore, telling, tellService, withStore } from './directory-session.ts';
import { type DirectoryAccess, exitStatus, type Terminal } from './parts.ts';

/** Octets read at once. */
const pieceBytes = 256 * 1024;

/** `edge directory import`: 1 when a record cannot be applied, and then nothing was written. */
export async function importFiles(
  files: readonly string[],
  options: DirectoryOptions & { readonly dryRun: boolean; readonly replace: boolean },
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return telling('import', options, terminal, async () => {
    // The caller's files are opened before root becomes the owner of the state.
    const source = new Source(files);
    await access.ready();
    becomeOwner(options.state);
    // An export can begin a new directory.
    if (!options.dryRun) prepareStateFolder(statePaths(options.state));
    if (options.replace) return await replaceBySource(source, files, options, { access, terminal });
    return await importSource(source, files, options, { access, terminal });
  });
}

async function importSource(
  source: Source,
  files: readonly string[],
  options: DirectoryOptions & { readonly dryRun: boolean },
  { access, terminal }: { readonly access: DirectoryAccess; readonly terminal: Terminal },
): Promise<number> {
  return withStore('import', options, { access, terminal, readOnly: false }, async (store) => {
    const start = performance.now();
    try {
      const { records } = await importLdif(store, source.records(), {
        actor: commandActor,
        dryRun: options.dryRun,
        onProgress: (done) => terminal.error(`${done} records …\n`),
      });
      const seconds = Math.round(performance.now() - start) / 1000;
      if (!options.dryRun) await tellService(options.state, `import of ${records} records from ${files.join(', ')}`);
      const report = { records, dryRun: options.dryRun, usn: store.usn, seconds };
      const done = options.dryRun ? 'could be applied; nothing was written' : `applied in ${seconds} s`;
      terminal.out(options.json ? `${printableJson(report)}\n` : `${records} records ${done}\n`);
      return exitStatus.done;
    } catch (error) {
      return refusedBy(error, source, options, terminal);
    }
  });
}

/** Says which record of which file was refused. Throws what is no refusal. */
function refusedBy(error: unknown, source: Source, { json }: DirectoryOptions, terminal: Terminal): number {
  if (!(error instanceof ImportError) && !(error instanceof LdifError) && !(error instanceof EncodingError))
    throw error;
  const line = 'line' in error ? { line: error.line } : {};
  const fault = { error: error.message, file: source.file, ...line, ...('dn' in error && { dn: error.dn }) };
  if (json) terminal.out(`${printableJson(fault)}\n`);
  else terminal.error(`edge directory import: ${source.file}: ${error.message}; nothing was written\n`);
  return exitStatus.finding;
}

async function replaceBySource(
  source: Source,
  files: readonly string[],
  options: DirectoryOptions & { readonly dryRun: boolean },
  { access, terminal }: { readonly access: DirectoryAccess; readonly terminal: Terminal },
): Promise<number> {
  const onProgress = (done: number): void => terminal.error(`${done} records …\n`);
  try {
    const replacing = { state: options.state, dryRun: options.dryRun, onProgress };
    const replaced = await replaceContent(source.records(), replacing, access);
    if (!options.dryRun) await tellService(options.state, `import that replaces all, from ${files.join(', ')}`);
    const kept = replaced.kept === undefined ? '' : `What was there is kept in ${replaced.kept}\n`;
    const text = `${replaced.records} records: ${renderRestored(replaced, options.dryRun)}${kept}`;
    terminal.out(options.json ? `${printableJson({ ...replaced, dryRun: options.dryRun })}\n` : text);
    return exitStatus.done;
  } catch (error) {
    return refusedBy(error, source, options, terminal);
  }
}

/** Text that is no UTF-8, as RFC 2849 wants it: values in other encodings stand in base64. */
class EncodingError extends Error {}

/** A folder can be opened as well, and is refused by the first read alone. */
function openToRead(path: string): number {
  return onFile(path, () => {
    const descriptor = openSync(path, 'r');
    if (fstatSync(descriptor).isDirectory()) readSync(descriptor, Buffer.alloc(1));
    return descriptor;
  });
}

/** Records of files, read one after the other in pieces. */
class Source {
  /** The one being read; its records are at fault when one is. */
  file = '';
  readonly #opened: readonly { readonly file: string; readonly descriptor: number }[];

  constructor(files: readonly string[]) {
    this.#opened = files.map((file) => ({ file, descriptor: file === '-' ? 0 : openToRead(file) }));
  }

  *records(): Generator<LdifRecord, void, undefined> {
    for (const { file, descriptor } of this.#opened) {
      this.file = file === '-' ? 'standard input' : file;
      try {
        yield* readLdif(decoded(descriptor));
      } catch (error) {
        throw naming(file, error);
      } finally {
        if (descriptor !== 0) closeSync(descriptor);
      }
    }
  }
}

function* decoded(descriptor: number): Generator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const piece = Buffer.allocUnsafe(pieceBytes);
  try {
    for (;;) {
      const length = readSync(descriptor, piece);
      yield decoder.decode(piece.subarray(0, length), { stream: length > 0 });
      if (length === 0) return;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw cause;
    throw new EncodingError('is not UTF-8: values in another encoding stand in base64', { cause });
  }
}

/** `edge directory restore`. */
export async function restore(
  folder: string,
  options: DirectoryOptions & { readonly dryRun: boolean },
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  const path = resolve(folder);
  return telling('restore', options, terminal, async () => {
    await using backup = await access.openBackup(path);
    const work = async (store: DirectoryStore): Promise<number> => {
      const restored = await store.restore(backup, { actor: commandActor, rehearse: options.dryRun });
      if (!options.dryRun) await tellService(options.state, `restore from ${path}`);
      const report = { ...restored, dryRun: options.dryRun, usn: store.usn };
      terminal.out(options.json ? `${printableJson(report)}\n` : renderRestored(restored, options.dryRun));
      return exitStatus.done;
    };
    try {
      return await onStore(options.state, { access, readOnly: false }, work);
    } catch (error) {
      if (!(error instanceof StoreError) || (error.reason !== 'damaged' && error.reason !== 'missing')) throw error;
      return await replaceDamaged(path, error.message, options, { access, terminal });
    }
  });
}

function renderRestored({ added, changed, removed, same }: Restored, dryRun: boolean): string {
  const counts = `${added} entries added, ${changed} changed, ${removed} deleted, ${same} as they were`;
  return dryRun ? `${counts}; nothing was written\n` : `${counts}\n`;
}

/**
 * Puts the backup where nothing can be opened; what was there is kept beside it. Throws StateLockedError while a service runs.
 */
async function replaceDamaged(
  backup: string,
  fault: string,
  options: DirectoryOptions & { readonly dryRun: boolean },
  { access, terminal }: { readonly access: DirectoryAccess; readonly terminal: Terminal },
): Promise<number> {
  const paths = statePaths(options.state);
  const inUse = existsSync(paths.directory) && readdirSync(paths.directory).length > 0;
  const aside = inUse ? `${paths.directory}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}` : undefined;
  if (!options.dryRun) {
    prepareStateFolder(paths);
    using _lock = lockStateFolder(paths);
    if (aside !== undefined) renameSync(paths.directory, aside);
    mkdirSync(paths.directory, { mode: 0o700, recursive: true });
    copyFileSync(join(backup, 'data.mdb'), join(paths.directory, 'data.mdb'));
    await using store = await access.open(options.state, { readOnly: false });
    await store.forgetChanges();
  }
  const kept = aside === undefined ? '' : options.dryRun ? ` would be kept in ${aside}` : ` is kept in ${aside}`;
  const text = `${fault}\nThe backup ${options.dryRun ? 'would take' : 'has taken'} its place${kept && `; what was there${kept}`}\n`;
  const report = { replaced: true, dryRun: options.dryRun, reason: fault, ...(aside !== undefined && { kept: aside }) };
  terminal.out(options.json ? `${printableJson(report)}\n` : text);
  return exitStatus.done;
}

/** `edge directory verify`: 1 for every disagreement found, and for a directory that cannot be opened. */
export async function verify(
  options: DirectoryOptions & { readonly rebuild: boolean },
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return withStore('verify', options, { access, terminal, readOnly: !options.rebuild }, async (store) => {
    if (options.rebuild) await store.rebuild();
    const findings = store.verify();
    terminal.out(options.json ? `${printableJson({ entries: store.size, findings }, 2)}\n` : render(store, findings));
    return findings.length === 0 ? exitStatus.done : exitStatus.finding;
  });
}

function render(store: DirectoryStore, findings: ReturnType<DirectoryStore['verify']>): string {
  if (findings.length === 0) return `${store.size} entries: names, tree and indexes agree\n`;
  const lines = findings.map(({ where, what }) => `${where}: ${what}`);
  const advice = findings.every(({ where }) => where.startsWith('index '))
    ? 'Only indexes are at fault: edge directory verify --rebuild makes them anew'
    : 'Entries are at fault: edge directory restore brings back a backup';
  return `${lines.join('\n')}\n${findings.length} findings. ${advice}\n`;
}
