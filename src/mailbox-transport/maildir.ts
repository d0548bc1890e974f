/** Maildir folders: one file for each message, never written in place (https://cr.yp.to/proto/maildir.html). */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fillDraft, syncFolder } from '../base/index.ts';

/** Longest name of a folder that is kept as it is; common file systems stop at 255 octets. */
const longestName = 200;

/**
 * A part of an address as the name of one folder: lower case letters, digits and a few harmless signs stay, everything else
 * becomes %XX of its UTF-8 octets. No address can leave the folder, hide in it, or meet another address. Throws RangeError
 * for a part that is empty or too long for a file name.
 * Only ASCII letters lose their case: Unicode makes 'k' of the Kelvin sign, and that would be somebody else's mailbox.
 */
export function folderName(part: string): string {
  const name = [...Buffer.from(part.replace(/[A-Z]+/g, lower), 'utf8')]
    .map((octet, i) => {
      const sign = String.fromCharCode(octet);
      // A leading dot would hide the folder, or be '.' and '..'; a leading '-' would be an option to careless scripts.
      const plain = /[a-z0-9_+=]/.test(sign) || (i > 0 && /[.-]/.test(sign));
      return plain ? sign : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  if (name === '' || name.length > longestName)
    throw new RangeError(`'${part.slice(0, 64)}' cannot name a mailbox folder`);
  return name;
}

function lower(letters: string): string {
  return letters.toLowerCase();
}

/** Folder of a mailbox below `root`. Throws RangeError. */
export function mailboxFolder(root: string, address: string, domain: string): string {
  const at = address.lastIndexOf('@');
  return join(root, folderName(domain), folderName(at < 0 ? address : address.slice(0, at)));
}

export interface NewMail {
  /** Unique on this machine for ever; no '/' and no ':'. */
  readonly uniqueName: string;
  /** Put in front of the content: Return-Path and Delivered-To, each line with CRLF. */
  readonly head: Buffer;
  readonly content: Iterable<Buffer> | AsyncIterable<Buffer>;
}

/**
 * Puts one message into a mailbox, octet for octet, with its CRLF. Durable when resolved: file and folder are synced. A message
 * delivered before a crash that forgot it has the same name and takes its own place.
 */
export async function deliverToMaildir(folder: string, mail: NewMail): Promise<void> {
  const draft = join(folder, 'tmp', mail.uniqueName);
  await fillDraft(draft, await openDraft(folder, draft), (file) => writeAll(file, mail));
  await rename(draft, join(folder, 'new', mail.uniqueName));
  await syncFolder(join(folder, 'new'));
}

/** The mailbox is made when the first message finds none: a delivery to one that is there asks nothing twice. */
async function openDraft(folder: string, draft: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await open(draft, flags, 0o600);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) await makeMaildir(folder);
    // Left behind by a crash in the middle of this same delivery.
    else if (hasCode(error, 'EEXIST')) await rm(draft);
    else throw error;
    return await open(draft, flags, 0o600);
  }
}

async function writeAll(file: FileHandle, { head, content }: NewMail): Promise<void> {
  await write(file, head);
  for await (const chunk of content) await write(file, chunk);
}

/** A write may take less than it was given. */
async function write(file: FileHandle, buffer: Buffer): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesWritten } = await file.write(buffer, done);
    done += bytesWritten;
  }
}

/** Durable when resolved, up to the folder that holds the domains. */
async function makeMaildir(folder: string): Promise<void> {
  for (const name of ['new', 'cur', 'tmp']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  for (const made of [folder, dirname(folder), dirname(dirname(folder))]) await syncFolder(made);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
