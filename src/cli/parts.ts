/** What the commands need of the rest of the program; `main.ts` hands it in. */
import type { DirectoryStore, StoreOptions } from '../directory/index.ts';

/** Options of `edge start`. */
export interface StartOptions {
  readonly state: string;
  readonly role: 'EdgeTransport' | 'Mailbox';
  /** Transport workers; default: one per core. */
  readonly workers: number;
  readonly user?: string;
  /** Group whose members may use the management shell; default: 'edge-admin' where it exists. */
  readonly adminGroup?: string;
  /** Ports below 1024 that connectors may have, besides those of mail. */
  readonly allowPort?: readonly number[];
}

export interface ShellOptions {
  readonly state: string;
  /** What a state directory that is made now will be. */
  readonly role: StartOptions['role'];
  /** Lines to run, in order; empty: interactive. */
  readonly lines: readonly string[];
  readonly files: readonly string[];
  readonly check: boolean;
}

/** Opens the directory of a state folder. */
export interface DirectoryAccess {
  /** Loads the code of all that follows. Root does so before it becomes the owner of a state, who may not be able to read the program. */
  ready(): Promise<unknown>;
  /** Throws StoreError. */
  open(state: string, options: Pick<StoreOptions, 'readOnly' | 'alongside' | 'checked'>): Promise<DirectoryStore>;
  /** A backup: opened for reading, with the schema of this program. Throws StoreError. */
  openBackup(folder: string): Promise<DirectoryStore>;
  /** An empty store in a folder that is not there yet, for content that is being read. */
  openScratch(folder: string): Promise<DirectoryStore>;
}

/** Where a receive connector can be tested. */
export interface ConnectorPlace {
  readonly name: string;
  /** Name that its certificate should hold. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** Why it is a temporary socket, which only this process listens on; undefined: the service listens there. */
  readonly temporary: string | undefined;
  /** The certificate that the connector is set to show, as `<I>issuer<S>subject`. */
  readonly tlsCertificateName: string | undefined;
  /** Why there is no certificate for it to show, so that STARTTLS is not offered; undefined: there is one. */
  readonly withoutCertificate: string | undefined;
}

/** The receive connectors of a state. Disposing closes the temporary sockets. */
export interface ConnectorPlaces extends AsyncDisposable {
  readonly names: readonly string[];
  /** Names of the send connectors, which are not tested this way. */
  readonly sendConnectors: readonly string[];
  /** Undefined: there is no such connector. */
  place(name: string): Promise<ConnectorPlace | undefined>;
}

export interface CommandParts {
  /** Runs the services until they are told to stop; resolves with the exit status. */
  start(options: StartOptions): Promise<number>;
  /** Runs management-shell lines; resolves with the exit status. */
  shell(options: ShellOptions): Promise<number>;
  readonly directory: DirectoryAccess;
  /** Opens the receive connectors of a state. Rejects with StoreError or StateError. */
  connectors(state: string): Promise<ConnectorPlaces>;
}

/** Where the commands write. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
}

/** Exit statuses of every command. */
export const exitStatus = { done: 0, finding: 1, failed: 2, usage: 64 } as const;
