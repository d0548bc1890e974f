/**
 * Recipients of any LDAP directory: what changed by modifyTimestamp, what is gone by comparing the ids of all. The times are the
 * server's own, so its clock may be wrong; they may be behind each other on several providers, so a span is read twice.
 */
import { type Entry, formatGeneralizedTime, parseGeneralizedTime } from '../../ldap/index.ts';
import { idOf } from '../recipient-mapping.ts';
import { type Reading, type RecipientSource, readCookie, writeCookie } from './contract.ts';
import type { LdapStream } from './ldap-stream.ts';
import { Completeness, pagedEntries } from './paged-search.ts';

export interface GenericOptions {
  readonly base: string;
  readonly attributes: readonly string[];
  readonly addressAttributes: readonly string[];
  readonly exchangeSchema: boolean;
  readonly connect: () => Promise<LdapStream>;
}

const idAttributes = ['entryUUID', 'nsUniqueId', 'objectGUID', 'modifyTimestamp'];
/** Clocks of several providers may differ by so much, in milliseconds. */
const overlapMs = 600_000;

export class GenericSource implements RecipientSource {
  readonly way = 'modifyTimestamp';
  readonly exchangeSchema: boolean;
  readonly #options: GenericOptions;

  constructor(options: GenericOptions) {
    this.#options = options;
    this.exchangeSchema = options.exchangeSchema;
  }

  async *read(cookie: string, signal: AbortSignal): Reading {
    await using stream = await this.#options.connect();
    const completeness = new Completeness();
    const since = Number(readCookie(this.way, cookie)?.['newest'] ?? Number.NaN);
    const holds = `(|${this.#options.addressAttributes.map((name) => `(${name}=*)`).join('')})`;
    const { base, attributes } = this.#options;
    const state = { newest: Number.isNaN(since) ? 0 : since };
    const wanted = [...attributes, ...idAttributes];
    const changedSince = Number.isNaN(since) ? undefined : formatGeneralizedTime(Math.max(0, since - overlapMs));
    const filter = changedSince === undefined ? holds : `(&${holds}(modifyTimestamp>=${changedSince}))`;
    for await (const entry of pagedEntries(stream, { base, filter, attributes: wanted }, completeness)) {
      signal.throwIfAborted();
      const id = idIn(entry, completeness);
      state.newest = Math.max(state.newest, timeOf(entry));
      if (id !== undefined) yield { kind: 'entry', id, entry };
    }
    if (changedSince !== undefined) {
      for await (const entry of pagedEntries(stream, { base, filter: holds, attributes: idAttributes }, completeness)) {
        signal.throwIfAborted();
        const id = idIn(entry, completeness);
        if (id !== undefined) yield { kind: 'present', id };
      }
    }
    const { complete, reasons } = completeness;
    return {
      complete,
      reasons,
      suspicious: false,
      exhaustive: true,
      cookie: writeCookie(this.way, { newest: state.newest }),
    };
  }
}

function idIn(entry: Entry, completeness: Completeness): string | undefined {
  const id = idOf(entry);
  if (id === undefined)
    completeness.missing('objects without entryUUID, nsUniqueId or objectGUID: let this account read one of them');
  return id;
}

function timeOf(entry: Entry): number {
  const [text] = entry.values('modifyTimestamp');
  return text === undefined ? 0 : (parseGeneralizedTime(text) ?? 0);
}
