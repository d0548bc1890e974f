/** The commands of `edge directory` that only read: any number of them beside the service that writes. */
import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onFile, printableJson } from '../base/text/index.ts';
import { type DirectoryReader, type DirectoryStore, exportLdif, type SearchPlan } from '../directory/index.ts';
import { formatFilter, parseFilter } from '../ldap/index.ts';
import type { BaseOptions, DirectoryOptions } from './directory-options.ts';
import { telling, withStore } from './directory-session.ts';
import { type DirectoryAccess, exitStatus, type Terminal } from './parts.ts';

/** `edge directory explain`: 64 for a filter that cannot be read. */
export async function explain(
  text: string,
  options: BaseOptions & { readonly run: boolean },
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return withStore('explain', options, { access, terminal, readOnly: true }, (store) => {
    const filter = parseFilter(text);
    const request = { base: options.base, scope: options.scope, filter };
    const plan = store.explain(request);
    const report = {
      filter: formatFilter(filter),
      base: options.base,
      scope: options.scope,
      entries: store.size,
      ...plan,
      ...(options.run && measured(store, request)),
    };
    terminal.out(options.json ? `${printableJson(report, 2)}\n` : renderPlan(report));
    return exitStatus.done;
  });
}

type PlanReport = SearchPlan & {
  readonly filter: string;
  readonly base: string;
  readonly scope: string;
  /** Entries of the whole directory. */
  readonly entries: number;
  readonly found?: number;
  readonly milliseconds?: number;
};

function measured(store: DirectoryReader, request: Parameters<DirectoryReader['search']>[0]) {
  const start = performance.now();
  let found = 0;
  for (const _ of store.search(request)) found += 1;
  return { found, milliseconds: Math.round((performance.now() - start) * 100) / 100 };
}

function renderPlan(report: PlanReport): string {
  const lines = [
    `filter  ${report.filter}`,
    `base    ${report.base === '' ? 'every naming context' : report.base}, scope ${report.scope}`,
    `plan    ${report.text}`,
    ...report.indexes.map(({ index, candidates }) => `        ${index}: ${candidates} entries`),
    `reads   ${report.candidates} of ${report.entries} entries at most`,
  ];
  if (report.found !== undefined) lines.push(`found   ${report.found} entries in ${report.milliseconds} ms`);
  return `${lines.join('\n')}\n`;
}

/** Opens a file to write, for the caller alone from the first octet on: password hashes may stand in it. What it holds stays until then. */
function openOutput(path: string): { readonly descriptor: number; readonly isRegular: boolean } {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  const isRegular = fstatSync(descriptor).isFile();
  if (isRegular) fchmodSync(descriptor, 0o600);
  return { descriptor, isRegular };
}

/** `edge directory export`. */
export async function exportDirectory(
  options: BaseOptions & { readonly operational: boolean; readonly output?: string },
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return telling('export', options, terminal, async () => {
    // The caller's file is opened before root becomes the owner of the state.
    const file = options.output === undefined ? undefined : openOutput(options.output);
    try {
      return await withStore('export', options, { access, terminal, readOnly: true }, async (store) => {
        const pieces = options.json ? jsonLines(store, options) : exportLdif(store, options);
        if (file?.isRegular === true) ftruncateSync(file.descriptor);
        await writeAll(pieces, (text) => {
          if (file === undefined) terminal.out(text);
          else onFile(options.output ?? '', () => writeSync(file.descriptor, text));
        });
        return exitStatus.done;
      });
    } finally {
      if (file !== undefined) closeSync(file.descriptor);
    }
  });
}

/** In pieces of a size that is worth a write. */
async function writeAll(pieces: AsyncIterable<string>, write: (text: string) => unknown): Promise<void> {
  let waiting = '';
  for await (const piece of pieces) {
    waiting += piece;
    if (waiting.length < 256 * 1024) continue;
    write(waiting);
    waiting = '';
  }
  if (waiting !== '') write(waiting);
}

/** One JSON object a line; values that are no text as `{"base64": …}`. */
async function* jsonLines(
  store: DirectoryReader,
  options: BaseOptions & { readonly operational: boolean },
): AsyncGenerator<string> {
  for await (const entry of store.searchGently({ base: options.base, scope: options.scope })) {
    const kept = (name: string): boolean =>
      options.operational || store.schema.describe(name)?.attribute.noUserModification !== true;
    const names = (options.operational ? entry.attributes : entry.storedAttributes).filter(kept).sort();
    const attributes = Object.fromEntries(names.map((name) => [name, entry.buffers(name).map(jsonValue)]));
    yield `${printableJson({ dn: entry.dn, attributes })}\n`;
  }
}

function jsonValue(value: Buffer): string | { readonly base64: string } {
  const text = value.toString('utf8');
  return Buffer.from(text).equals(value) ? text : { base64: value.toString('base64') };
}

/** `edge directory backup`. */
export async function backup(
  folder: string,
  options: DirectoryOptions,
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return withStore('backup', options, { access, terminal, readOnly: true }, async (store) => {
    const path = resolve(folder);
    await store.backup(path);
    const report = await lookAt(path, access);
    if (options.json) terminal.out(`${printableJson({ folder: path, ...report })}\n`);
    else terminal.out(`${report.entries} entries up to update ${report.usn} are in ${path} (${report.bytes} octets)\n`);
    return exitStatus.done;
  });
}

/** What is in a backup: opening it says whether it can be opened. */
async function lookAt(folder: string, access: DirectoryAccess) {
  await using copy: DirectoryStore = await access.openBackup(folder);
  return { entries: copy.size, usn: copy.usn, bytes: statSync(join(folder, 'data.mdb')).size };
}
