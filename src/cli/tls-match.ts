/** `edge tls match`: certificates in files against a TlsCertificateName. */

import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { printable, printableJson } from '../base/index.ts';
import { fileReason } from '../base/text/index.ts';
import {
  CertificateError,
  type CertificateMatch,
  matchCertificateFile,
  nameOfCertificateFile,
} from '../certificates/index.ts';
import { parseTlsCertificateName, type TlsCertificateName } from '../tls/index.ts';
import { exitStatus, type Terminal } from './parts.ts';

export interface TlsMatchOptions {
  readonly files: readonly string[];
  readonly name?: string;
  readonly key: 'own' | 'any';
  readonly print: boolean;
  readonly jsonl: boolean;
}

/** Resolves with the exit status: the worst of all answers. */
export async function tlsMatch(options: TlsMatchOptions, terminal: Terminal, input: Readable): Promise<number> {
  const wrong = misuse(options);
  if (wrong !== undefined) {
    terminal.error(`edge tls match: ${wrong}\n`);
    return exitStatus.usage;
  }
  if (options.jsonl) return answerLines(options, terminal, input);
  if (options.print) return printNames(options.files, terminal);
  try {
    return await matchFiles(options, parseTlsCertificateName(options.name ?? ''), terminal);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    terminal.error(`edge tls match: --name: ${printable(error.message)}\n`);
    return exitStatus.usage;
  }
}

function misuse({ files, name, print, jsonl }: TlsMatchOptions): string | undefined {
  if (jsonl) {
    if (files.length > 0 || name !== undefined || print) return '--jsonl takes names and files from standard input';
    return undefined;
  }
  if (files.length === 0) return 'name a certificate file';
  if (print) return name === undefined ? undefined : 'either --name or --print';
  return name === undefined ? "--name '<I>issuer<S>subject' is needed, or --print" : undefined;
}

async function matchFiles(
  { files, key }: TlsMatchOptions,
  name: TlsCertificateName,
  terminal: Terminal,
): Promise<number> {
  let worst: number = exitStatus.done;
  for (const file of files) {
    const answer = await judge(file, (data) => matchCertificateFile(data, name, { key }));
    worst = Math.max(worst, statusOf(answer));
    const word = 'unreadable' in answer ? 'cannot be read' : answer.match ? 'match' : 'no match';
    const line = `${printable(file)}: ${word}: ${printable(reasonOf(answer))}\n`;
    if ('unreadable' in answer) terminal.error(line);
    else terminal.out(line);
  }
  return worst;
}

/** The bare name, one line for each file, so that it can be pasted. */
async function printNames(files: readonly string[], terminal: Terminal): Promise<number> {
  let worst: number = exitStatus.done;
  for (const file of files) {
    const answer = await judge(file, printableName);
    if ('name' in answer) {
      terminal.out(`${answer.name}\n`);
    } else {
      worst = Math.max(worst, statusOf(answer));
      terminal.error(`${printable(file)}: ${printable(reasonOf(answer))}\n`);
    }
  }
  return worst;
}

function printableName(data: Buffer): { readonly name: string } | CertificateMatch {
  try {
    return { name: nameOfCertificateFile(data) };
  } catch (error) {
    if (error instanceof RangeError) return { match: false, reason: error.message };
    throw error;
  }
}

interface Unreadable {
  readonly unreadable: string;
}

type Answer = CertificateMatch | Unreadable;

function statusOf(answer: Answer): number {
  if ('unreadable' in answer) return exitStatus.failed;
  return answer.match ? exitStatus.done : exitStatus.finding;
}

function reasonOf(answer: Answer): string {
  return 'unreadable' in answer ? answer.unreadable : answer.reason;
}

async function judge<T>(path: string, look: (data: Buffer) => T): Promise<T | Unreadable> {
  try {
    return look(await readBounded(path));
  } catch (error) {
    if (error instanceof CertificateError) return { unreadable: error.message };
    if (error instanceof Error && 'code' in error) return { unreadable: fileReason(error) };
    throw error;
  }
}

/** Far above a certificate with 10,000 names; a device or a disk image named by mistake is not read into memory. */
const longestFile = 16 * 1024 ** 2;

async function readBounded(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { size } = await file.stat();
  if (size > longestFile) throw new CertificateError('the file is too large for a certificate');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestFile) throw new CertificateError('the file is too large for a certificate');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answerLines({ key }: TlsMatchOptions, terminal: Terminal, input: Readable): Promise<number> {
  let worst: number = exitStatus.done;
  let number = 0;
  for await (const line of linesOf(input)) {
    number += 1;
    if (line.trim() === '') continue;
    const { id, answer } = await answerLine(line, number, key);
    worst = Math.max(worst, statusOf(answer));
    const match = 'match' in answer && answer.match;
    terminal.out(`${printableJson({ id, match, reason: printable(reasonOf(answer)) })}\n`);
  }
  return worst;
}

async function answerLine(line: string, number: number, key: 'own' | 'any'): Promise<{ id: unknown; answer: Answer }> {
  const question = readQuestion(line);
  if (question === undefined)
    return { id: null, answer: { unreadable: `line ${number} is not {"id":…,"cert":"…","name":"…"}` } };
  const { id, cert, name } = question;
  try {
    const expected = parseTlsCertificateName(name);
    return { id, answer: await judge(cert, (data) => matchCertificateFile(data, expected, { key })) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { id, answer: { unreadable: error.message } };
  }
}

function readQuestion(line: string): { id: unknown; cert: string; name: string } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('cert' in value) || !('name' in value)) return undefined;
    const { cert, name } = value;
    if (typeof cert !== 'string' || typeof name !== 'string') return undefined;
    return { id: 'id' in value ? value.id : null, cert, name };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Cut at LF alone: JSON may hold U+2028 as it is. The last line need not end. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  input.setEncoding('utf8');
  let rest = '';
  for await (const chunk of input as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestFile) throw new RangeError('a line of standard input is too long');
    yield* lines;
  }
  if (rest !== '') yield rest;
}
