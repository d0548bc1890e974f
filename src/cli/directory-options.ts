/** Options that the commands of `edge directory` have in common. */
export interface DirectoryOptions {
  readonly state: string;
  readonly json: boolean;
}

/** How far down a search goes. */
export const scopes = ['base', 'one', 'sub', 'subordinate'] as const;

/** Options of what reads a part of the directory. */
export interface BaseOptions extends DirectoryOptions {
  readonly base: string;
  readonly scope: (typeof scopes)[number];
}

/** Options of the commands about accounts. */
export interface AccountOptions extends DirectoryOptions {
  readonly role?: string;
  /** File whose first line is the password. */
  readonly passwordFile?: string;
}
