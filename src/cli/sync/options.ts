/** Options of `edge sync`, as they are typed. */

/** What the commands have in common. */
export interface SyncOptions {
  readonly state: string;
  readonly json: boolean;
}

export interface InitOptions extends SyncOptions {
  readonly source: string;
  readonly also: string[];
  readonly base: string;
  readonly bindDn: string;
  readonly passwordFile: string;
  readonly ca: string;
  readonly server?: string;
  readonly domain: string[];
  readonly smartHost: string[];
  readonly internalSmtpServer: string[];
  readonly internalServer: string[];
  readonly tlsSendDomain: string[];
  readonly tlsReceiveDomain: string[];
  readonly include: string[];
  readonly exclude: string[];
  readonly filter: string;
  readonly address: string[];
  readonly disabledAccounts: 'keep' | 'drop';
  readonly logLevel: 'None' | 'Low' | 'Medium' | 'High';
}

/** What was not said stays as `init` has it. */
export interface MappingOptions extends SyncOptions {
  readonly include?: string[];
  readonly exclude?: string[];
  readonly filter?: string;
  readonly address?: string[];
  readonly disabledAccounts?: 'keep' | 'drop';
  readonly reset: boolean;
}

export interface LogonOptions extends SyncOptions {
  readonly user?: string;
  readonly passwordFile?: string;
  readonly remove: boolean;
}

export interface ApplyOptions extends SyncOptions {
  readonly force: boolean;
  readonly full: boolean;
}
