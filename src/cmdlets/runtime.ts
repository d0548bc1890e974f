/**
 * What a cmdlet is to those who run it (shell, console, API), and what it needs from them. A runner finds the cmdlet by
 * name, binds its parameters, and calls `run` once for the line or, when the pipeline feeds a parameter, once for each
 * object that comes in. Values travel as plain JavaScript: text, numbers, booleans, null, Date, Quantity, arrays,
 * objects with named properties and hash tables; the two last are recognised by their methods (see below).
 */
import type { AcmeOrder, AcmeService, ExternalAccount, RenewalTime } from '../certificates/acme/index.ts';
import type { CertificateStore } from '../certificates/index.ts';
import type { ServerRole } from '../config/index.ts';
import { StructuredValue } from '../config/values/index.ts';
import type { DnsAsker } from '../dns/index.ts';
import type { Entry, Filter, Modification } from '../ldap/index.ts';
import type { AdminAuditQuestion, AdminAuditRecord } from '../logs/index.ts';
import type { ParsedCertificate } from '../tls/index.ts';
import type { KeptReport, ReportRecord } from '../tls-reports/index.ts';
import type { EdgeSyncAdministration } from './edge-sync-administration.ts';
import type { TrackingLog, TransportAdministration } from './transport-administration.ts';

/** An object that came through the pipeline: properties found without regard to case, null for none. */
export interface PropertyReader {
  readonly typeName: string;
  has(name: string): boolean;
  get(name: string): unknown;
}

/** `@{Add='a'; Remove='b','c'}`: keys found without regard to case. */
export interface HashReader {
  has(key: unknown): boolean;
  get(key: unknown): unknown;
  keys(): unknown[];
}

/** What a cmdlet gives back: named values in the order in which Format-List shows them. */
export class CmdletObject implements PropertyReader {
  /** 'ReceiveConnector', 'ExtensibleQueueInfo' …: chooses the default view. */
  readonly typeName: string;
  readonly #entries: readonly (readonly [name: string, value: unknown])[];
  readonly #byName: ReadonlyMap<string, unknown>;

  constructor(typeName: string, entries: readonly (readonly [name: string, value: unknown])[]) {
    this.typeName = typeName;
    this.#entries = entries;
    this.#byName = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
  }

  entries(): readonly (readonly [name: string, value: unknown])[] {
    return this.#entries;
  }

  has(name: string): boolean {
    return this.#byName.has(name.toLowerCase());
  }

  get(name: string): unknown {
    return this.#byName.get(name.toLowerCase()) ?? null;
  }

  /** As PowerShell prints the object in a text: its identity. */
  toString(): string {
    const identity = this.get('Identity') ?? this.get('Name');
    return typeof identity === 'string' || identity instanceof StructuredValue ? identity.toString() : this.typeName;
  }
}

/** How objects of a type are shown when nothing says otherwise. */
export interface DefaultView {
  readonly kind: 'table' | 'list';
  /** Properties shown; empty: all. */
  readonly columns: readonly string[];
}

/** One parameter as a runner, completion and help see it. */
export interface Parameter {
  readonly name: string;
  /** Type as Exchange names it: 'Boolean', 'EnhancedTimeSpan', 'MultiValuedProperty' … */
  readonly type: string;
  /** Place among positional arguments, from 1. Absent: by name only. */
  readonly position?: number;
  readonly mandatory?: boolean;
  /** The pipeline's objects are bound to it, whole (by value) or by their property of this name. */
  readonly pipeline?: boolean;
  readonly aliases?: readonly string[];
  /** Needs no value; `-Name:$false` takes it back. */
  readonly isSwitch?: boolean;
  /** Takes lists, and @{Add=…; Remove=…}. */
  readonly multivalued?: boolean;
  /** Values that are taken, for completion and messages. */
  readonly allowed?: readonly string[];
  /** Objects whose identities may stand here, for completion: the noun of their Get- cmdlet. */
  readonly identityOf?: string;
  /** Sets in which it may stand; absent: in all. */
  readonly parameterSets?: readonly string[];
  readonly help?: string;
  /**
   * What is wrong with a value and what would be right; undefined when it fits. Pure: `edge shell --check` asks for
   * every literal. Absent: nothing can be said before the line runs.
   */
  readonly check?: (value: unknown) => string | undefined;
  /** Loads what `check` works with, where that is not here yet; awaited before `check` is called. */
  readonly ready?: () => Promise<void>;
  /** Known, but the function behind it is not built: refused at run time, taken by --check. */
  readonly notImplementedYet?: boolean;
  /** What alone has it, where no server of today does: 'Exchange Online'. It is refused as well. */
  readonly onlyIn?: string;
}

/** Parameters of a line, by the name of the table. Values are not converted: the cmdlet reads them itself. */
export type BoundParameters = ReadonlyMap<string, unknown>;

/** What a cmdlet is, for who names it and has it run elsewhere. */
export interface CmdletDescription {
  /** 'Get-ReceiveConnector'. */
  readonly name: string;
  readonly synopsis: string;
  /** Without the common ones (ErrorAction, Verbose, OutVariable …), with WhatIf and Confirm where they exist. */
  readonly parameters: readonly Parameter[];
  /** It takes -WhatIf and -Confirm and calls `shouldProcess`. */
  readonly supportsShouldProcess: boolean;
  /** Lines that work as they stand on a fresh appliance, for help; each is a test. */
  readonly examples: readonly Example[];
  /** Not built yet: it refuses to run. */
  readonly notImplementedYet?: boolean;
}

/** One cmdlet. */
export interface Cmdlet extends CmdletDescription {
  /** Throws CmdletError. One call is one change: it is done whole or not at all. */
  run(context: CmdletContext, bound: BoundParameters): AsyncIterable<CmdletObject>;
}

/** An example of the help. */
export interface Example {
  readonly line: string;
  readonly says: string;
}

/** PowerShell's error categories. */
export type ErrorCategory =
  | 'NotSpecified'
  | 'InvalidArgument'
  | 'InvalidData'
  | 'InvalidOperation'
  | 'NotImplemented'
  | 'ObjectNotFound'
  | 'PermissionDenied'
  | 'ResourceExists'
  | 'ResourceUnavailable'
  | 'WriteError';

/** A refusal. The runner adds place, cmdlet and call stack as PowerShell shows them. */
export class CmdletError extends Error {
  override readonly name = 'CmdletError';
  /** First part of the fully qualified error id, as 'ManagementObjectNotFoundException'. */
  readonly id: string;
  readonly category: ErrorCategory;
  /** What the failure is about: a parameter's name, an identity. */
  readonly target: string;

  constructor(
    id: string,
    category: ErrorCategory,
    message: string,
    options: { target?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.id = id;
    this.category = category;
    this.target = options.target ?? '';
  }
}

/** One directory operation that is about to be done, as the runner asks and the audit log keeps it. */
export interface Operation {
  /** As in 'Setting Receive connector': the sentence that -WhatIf and -Confirm show. */
  readonly action: string;
  readonly target: string;
  /** High: asked for even without -Confirm (Remove-). */
  readonly impact: 'Medium' | 'High';
}

/** One object that was changed, for the admin audit log. Secrets never stand here. */
export interface AuditedChange {
  /** Identity of the object: a name, `SERVER\\Name`, a queue, a message. */
  readonly object: string;
  /** '' for what is not in the directory. */
  readonly dn: string;
  /** Old and new values by property name. */
  readonly properties: readonly { readonly name: string; readonly before: string; readonly after: string }[];
}

/** A line of the admin audit log, as the runner of a cmdlet knows it. */
export type AuditEntry = Omit<AdminAuditRecord, 'at' | 'who' | 'server' | 'via'>;

/** The admin audit log, for reading. */
export interface AuditTrail {
  /** Newest first. */
  search(question: AdminAuditQuestion, signal: AbortSignal): AsyncIterable<AdminAuditRecord>;
}

/** A change of one entry, its end, or its new RDN under the same parent (the old value is removed). */
export type ConfigurationWrite =
  | {
      readonly kind: 'modify';
      readonly dn: string;
      readonly modifications: readonly Modification[];
      /** Done only when this matches the entry, else LdapError assertionFailed: another one wrote since it was read. */
      readonly assertion?: Filter;
    }
  | { readonly kind: 'delete'; readonly dn: string; readonly assertion?: Filter }
  | { readonly kind: 'rename'; readonly dn: string; readonly rdn: string; readonly assertion?: Filter };

/** The directory, as cmdlets use it: over LDAP, or on the store itself when the service does not run. */
export interface ConfigurationStore {
  /** DN of the configuration naming context. */
  readonly configurationDn: string;
  /** Entries with every attribute. `filter` is a filter in text form (RFC 4515). A base that does not exist gives none. */
  search(base: string, scope: 'base' | 'one' | 'sub', filter?: string): Promise<readonly Entry[]>;
  /** Throws LdapError, entryAlreadyExists among others. */
  add(dn: string, attributes: ReadonlyMap<string, readonly string[]>): Promise<void>;
  /** All modifications or none. */
  modify(dn: string, modifications: readonly Modification[]): Promise<void>;
  /** One after the other, all or none: nobody ever sees a part of them. */
  together(writes: readonly ConfigurationWrite[]): Promise<void>;
}

/** Folders of this server, as the account of the service finds them. */
export interface ServiceFolders {
  /**
   * Why the service cannot keep files below a path (relative ones lie in the state directory); undefined when it can. It is
   * tried, and nothing is left behind.
   */
  refusal(path: string): Promise<string | undefined>;
}

/** Certificates that come by ACME (RFC 8555). */
export interface AcmeAdministration {
  orders(): Promise<readonly AcmeOrder[]>;
  keep(orders: readonly AcmeOrder[]): Promise<void>;
  /** When a certificate of that authority is to be renewed; with `authorities` it is asked, else by what it said last. */
  renewalTime(
    service: AcmeService,
    certificate: ParsedCertificate,
    authorities: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<RenewalTime>;
  /**
   * Resolves with the chain, PEM. `authorities`: PEM of those that the directory's certificate may come from; `replaced`: the
   * certificate that it comes in place of. Throws CertificateError.
   */
  request(
    service: AcmeService,
    csr: string,
    parts: {
      readonly authorities: readonly string[];
      readonly externalAccount?: ExternalAccount | undefined;
      readonly replaced?: ParsedCertificate | undefined;
    },
    signal: AbortSignal,
  ): Promise<string>;
}

/** The TLS reports of this server to others (RFC 8460). */
export interface TlsReportShelf {
  waiting(): Promise<readonly ReportRecord[]>;
  sent(): Promise<readonly ReportRecord[]>;
  /** Those of others that came in the mail. */
  received(): Promise<readonly KeptReport[]>;
  /** Text of the TXT record of the key that signs them. */
  dkimRecord(): Promise<string>;
}

/** What cmdlets work on: the same for every line of a process. */
export interface CmdletEnvironment {
  readonly store: ConfigurationStore;
  readonly role: ServerRole;
  /** Short name of this server: name of its server object. */
  readonly serverName: string;
  /** Workers and queues; undefined when the service does not run. */
  readonly transport: TransportAdministration | undefined;
  readonly auditTrail: AuditTrail;
  readonly trackingLog: TrackingLog;
  readonly folders: ServiceFolders;
  /** The certificates of this server, opened when somebody asks. */
  readonly certificates?: () => Promise<CertificateStore>;
  /** Asked whether TLSA records are published; absent where nobody is asked. */
  readonly dns?: DnsAsker;
  /** Seals a secret for the workers of this machine; bound to what it is for. */
  readonly seal: (text: string, purpose: string) => string;
  /** Absent in a catalogue without a server. */
  readonly acme?: AcmeAdministration;
  /** Absent in a catalogue without a server. */
  readonly tlsReports?: TlsReportShelf;
  /** Absent where it cannot be reached. */
  readonly edgeSync?: EdgeSyncAdministration;
}

/** What a cmdlet has at hand while it runs. */
export interface CmdletContext extends CmdletEnvironment {
  warning(text: string): void;
  verbose(text: string): void;
  /** -WhatIf and -Confirm: false when the operation is not to be done. */
  shouldProcess(operation: Operation): Promise<boolean>;
  /** After each change that was done, and before content of mail is handed out: both are lines of the admin audit log. */
  changed(change: AuditedChange): void;
  readonly signal: AbortSignal;
}

/** What there is to call. */
export interface CmdletDescriptions {
  readonly all: readonly CmdletDescription[];
  /** Default views, by the type of output objects. */
  readonly views: ReadonlyMap<string, DefaultView>;
}

/** Every cmdlet, by name. */
export interface CmdletCatalogue extends CmdletDescriptions {
  /** By name in any case; undefined when there is none. */
  find(name: string): Cmdlet | undefined;
  readonly all: readonly Cmdlet[];
}

/** Runs what gives no objects back. */
export async function* quietly(work: () => Promise<void>): AsyncIterable<CmdletObject> {
  await work();
  yield* [];
}

/** Work whose parts are loaded when it first runs: what a cmdlet needs is no business of those who only list cmdlets. */
export function loadedLater(load: () => Promise<Cmdlet['run']>): Cmdlet['run'] {
  return async function* (context, bound) {
    yield* (await load())(context, bound);
  };
}
