/** The one LDAP client of the product: ldapts with its traps closed. */
import { connect as connectSocket, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import {
  AddRequest,
  Attribute,
  Change,
  Client,
  type ClientOptions,
  type Control,
  DeleteRequest,
  ModifyDNRequest,
  ModifyRequest,
  PagedResultsControl,
  ResultCodeError,
  SearchRequest,
  type SearchResponse,
} from 'ldapts';
import {
  type AttributeValues,
  Dn,
  type Entry,
  everyEntry,
  type Filter,
  formatRdn,
  LdapError,
  type Modification,
  MutableEntry,
  parseFilter,
  type ResultCodeName,
  resultCodeName,
  resultCodes,
} from '../../ldap/index.ts';
import { element } from '../face/ber/ber-writer.ts';
import { encodeFilter } from './encode-filter.ts';
import { OctetCompareRequest, OctetControl, WireFilter } from './ldapts-messages.ts';

/** Assertion control, RFC 4528. */
const assertionOid = '1.3.6.1.1.12';

export interface DirectoryClientOptions {
  /** `ldap://host:port`, `ldaps://host:port`, or `ldapi://` and the path of the socket with `/` as `%2F`. */
  readonly url: string;
  /** Default: anonymous. `external` is SASL EXTERNAL: the unix socket or the client certificate says who it is. */
  readonly bind?: { readonly dn: string; readonly password: string } | 'external';
  /** For ldaps and StartTLS. */
  readonly tls?: ConnectionOptions;
  /** Gives the connection to use, open already, as one whose peer was checked in ways that TLS options cannot say. */
  readonly socket?: () => Socket;
  /** StartTLS on an `ldap://` connection. Default: false. */
  readonly startTls?: boolean;
  /** Time for an answer, in milliseconds; the connection is given up after it. Default: 30 s. */
  readonly timeoutMs?: number;
  /** Default: 10 s. */
  readonly connectTimeoutMs?: number;
  /** Entries asked for at a time. Default: 500. */
  readonly pageSize?: number;
}

export interface ClientSearch {
  readonly base: string;
  /** Default: `sub`. */
  readonly scope?: 'base' | 'one' | 'sub' | 'subordinate';
  /** Text of RFC 4515 or a filter. Default: every entry. */
  readonly filter?: string | Filter;
  /** Default: all user attributes. */
  readonly attributes?: readonly string[];
  /** More entries than this are an error (sizeLimitExceeded). Default: the server's limit. */
  readonly sizeLimit?: number;
  /** Without pages everything comes in one answer. Default: true. */
  readonly paged?: boolean;
  readonly controls?: readonly Control[];
  readonly signal?: AbortSignal;
  /** Hears of parts that lie elsewhere (RFC 4511 §4.5.3): what is found is not all there is. */
  readonly onReference?: (uris: readonly string[]) => void;
}

/** Names that ldapts keeps to itself; the version is pinned and a test holds them. */
interface LdaptsInternals {
  _nextMessageId(): number;
  _send<R>(message: unknown): Promise<R | undefined>;
}

/** What of ldapts's responses is used. */
interface Answer {
  readonly status: number;
  readonly matchedDN: string;
  readonly errorMessage: string;
}

/** One connection, made when it is first needed and again when it was lost. Refusals are thrown as LdapError. */
export class DirectoryClient implements AsyncDisposable {
  readonly #options: DirectoryClientOptions;
  readonly #client: Client;
  /** Serialises connecting: ldapts opens a socket for each operation that finds none, and some never settle. */
  #connecting: Promise<void> | undefined;
  #closed = false;

  constructor(options: DirectoryClientOptions) {
    this.#options = options;
    this.#client = new Client(clientOptions(options));
  }

  /** Connects and binds now. Every other method does so when it must. */
  async connect(): Promise<void> {
    if (this.#closed) throw new LdapError('unavailable', 'the client is closed');
    if (this.#connecting === undefined && this.#client.isConnected) return;
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  /** Entries one after the other, page by page. Throws sizeLimitExceeded after the entries that came. */
  async *search(search: ClientSearch): AsyncGenerator<Entry, void, undefined> {
    const filter = typeof search.filter === 'string' ? parseFilter(search.filter) : (search.filter ?? everyEntry);
    let cookie: Buffer | undefined = search.paged === false ? undefined : Buffer.alloc(0);
    do {
      search.signal?.throwIfAborted();
      const page =
        cookie === undefined
          ? undefined
          : new PagedResultsControl({ value: { size: this.#options.pageSize ?? 500, cookie } });
      const answer: SearchResponse = await this.#searchOnce(search, filter, page);
      for (const { name, attributes } of answer.searchEntries) yield entryOf(name, attributes);
      for (const { uris } of answer.searchReferences) search.onReference?.(uris);
      check(answer);
      // An empty page is no end: Active Directory sends such.
      const response = answer.controls?.find((control) => control instanceof PagedResultsControl);
      cookie = response?.value?.cookie;
    } while (cookie !== undefined && cookie.length > 0);
  }

  /** All entries at once. */
  async searchAll(search: ClientSearch): Promise<Entry[]> {
    return Array.fromAsync(this.search(search));
  }

  /** One entry; undefined when it does not exist. */
  async get(dn: string, attributes?: readonly string[]): Promise<Entry | undefined> {
    try {
      const [entry] = await this.searchAll({
        base: dn,
        scope: 'base',
        paged: false,
        ...(attributes && { attributes }),
      });
      return entry;
    } catch (error) {
      if (error instanceof LdapError && error.code === 'noSuchObject') return undefined;
      throw error;
    }
  }

  async add(dn: string, attributes: readonly AttributeValues[], controls?: readonly Control[]): Promise<void> {
    const list = attributes.map(({ attribute, values }) => new Attribute({ type: attribute, values: [...values] }));
    check(await this.#send((messageId) => new AddRequest({ messageId, dn, attributes: list, ...given(controls) })));
  }

  /** Throws RangeError for an increment, which ldapts cannot write. */
  async modify(dn: string, modifications: readonly Modification[], controls?: readonly Control[]): Promise<void> {
    const changes = modifications.map(({ operation, attribute, values }) => {
      if (operation === 'increment') throw new RangeError('increments are not sent by this client');
      return new Change({ operation, modification: new Attribute({ type: attribute, values: [...values] }) });
    });
    check(await this.#send((messageId) => new ModifyRequest({ messageId, dn, changes, ...given(controls) })));
  }

  /** As `modify`, done only when the filter matches the entry (RFC 4528); else throws LdapError assertionFailed. */
  async modifyIf(assertion: Filter, dn: string, modifications: readonly Modification[]): Promise<void> {
    const { tag, contents } = encodeFilter(assertion);
    await this.modify(dn, modifications, [new OctetControl(assertionOid, element(tag, contents))]);
  }

  async delete(dn: string, controls?: readonly Control[]): Promise<void> {
    check(await this.#send((messageId) => new DeleteRequest({ messageId, dn, ...given(controls) })));
  }

  /** Renames and moves to the new name, which is given whole. The old RDN value goes. */
  async rename(dn: string, newDn: string): Promise<void> {
    const target = Dn.parse(newDn);
    const newRdn = formatRdn(target.rdn);
    const newSuperior = target.parent?.toString() ?? '';
    check(
      await this.#send((messageId) => new ModifyDNRequest({ messageId, dn, newRdn, newSuperior, deleteOldRdn: true })),
    );
  }

  async compare(dn: string, attribute: string, value: string | Buffer): Promise<boolean> {
    const answer = await this.#send(
      (messageId) => new OctetCompareRequest(messageId, dn, attribute, Buffer.from(value)),
    );
    if (answer.status === resultCodes.compareTrue) return true;
    if (answer.status === resultCodes.compareFalse) return false;
    throw refusal(answer);
  }

  /** Takes leave and closes the connection. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#connecting?.catch(() => undefined);
    await this.#client.unbind().catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(): Promise<void> {
    const { bind, startTls = false, tls, url } = this.#options;
    try {
      if (startTls) await this.#client.startTLS({ host: new URL(url).hostname, ...tls });
      if (bind === 'external') await this.#client.bind('EXTERNAL');
      else await this.#client.bind(bind?.dn ?? '', bind?.password ?? '');
    } catch (error) {
      await this.#client.unbind().catch(() => undefined);
      throw asLdapError(error, url);
    }
  }

  async #searchOnce(
    search: ClientSearch,
    filter: Filter,
    page: PagedResultsControl | undefined,
  ): Promise<SearchResponse> {
    const { base, scope = 'sub', attributes = [], sizeLimit = 0, controls = [] } = search;
    return this.#send<SearchResponse>(
      (messageId) =>
        new SearchRequest({
          messageId,
          baseDN: base,
          scope: scope === 'subordinate' ? 'children' : scope,
          filter: new WireFilter(filter),
          attributes: [...attributes],
          sizeLimit,
          // ldapts would say ten seconds.
          timeLimit: 0,
          controls: page === undefined ? [...controls] : [...controls, page],
        }),
    );
  }

  async #send<R extends Answer = Answer>(make: (messageId: number) => unknown): Promise<R> {
    await this.connect();
    const internals = this.#client as unknown as LdaptsInternals;
    try {
      const answer = await internals._send<R>(make(internals._nextMessageId()));
      if (answer === undefined) throw new LdapError('unavailable', 'the connection ended before the answer');
      return answer;
    } catch (error) {
      throw asLdapError(error, this.#options.url);
    }
  }
}

function clientOptions({
  url,
  tls,
  socket,
  timeoutMs = 30_000,
  connectTimeoutMs = 10_000,
}: DirectoryClientOptions): ClientOptions {
  const limits = { timeout: timeoutMs, connectTimeout: connectTimeoutMs };
  if (socket !== undefined) return { url: 'ldap://localhost', createConnection: socket, ...limits };
  const path = /^ldapi:\/\/([^/?]+)/i.exec(url)?.[1];
  if (path !== undefined) {
    const open = () => connectSocket(decodeURIComponent(path));
    return { url: 'ldap://localhost', createConnection: open, ...limits };
  }
  // Any TLS option makes ldapts speak TLS at once, also on ldap://.
  return { url, ...limits, ...(/^ldaps:/i.test(url) && tls !== undefined && { tlsOptions: tls }) };
}

const given = (controls: readonly Control[] | undefined): { controls: Control[] } | Record<string, never> =>
  controls === undefined ? {} : { controls: [...controls] };

function entryOf(dn: string, attributes: readonly Attribute[]): Entry {
  const entry = new MutableEntry(dn);
  for (const { type, parsedBuffers } of attributes) entry.append(type, parsedBuffers);
  return entry;
}

function check(answer: Answer): void {
  if (answer.status !== resultCodes.success) throw refusal(answer);
}

function refusal({ status, errorMessage, matchedDN }: Answer): LdapError {
  const name = codeName(status);
  const message = errorMessage === '' ? `the server answered ${resultCodeName(status)}` : errorMessage;
  return new LdapError(name ?? 'other', name === undefined ? `${message} (result code ${status})` : message, {
    matchedDn: matchedDN,
  });
}

function codeName(status: number): ResultCodeName | undefined {
  const name = resultCodeName(status);
  return name in resultCodes ? (name as ResultCodeName) : undefined;
}

/** What ldapts throws, as a refusal: its own errors carry a result code, all others mean that the connection is no good. */
function asLdapError(error: unknown, url: string): LdapError {
  if (error instanceof LdapError) return error;
  if (error instanceof ResultCodeError)
    return new LdapError(codeName(error.code) ?? 'other', error.message, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new LdapError('unavailable', `directory ${url}: ${reason}`, { cause: error });
}
