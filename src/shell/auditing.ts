import type { AuditEntry, AuditedChange, Cmdlet } from '../cmdlets/index.ts';
import type { CommandHost } from './interpreter/contract.ts';
import { Hashtable } from './values/hashtable.ts';
import { toText } from './values/text.ts';

/** Types of parameters that hold secrets, and names of those of other types that do. */
const secretTypes = /^(?:SecureString|PSCredential)$/i;
const secretNames = /password|passphrase|credential/i;

/** Writes what one run of a cmdlet did to the admin audit log. */
export class Auditing {
  readonly #cmdlet: Cmdlet;
  readonly #bound: ReadonlyMap<string, unknown>;
  readonly #host: CommandHost;
  readonly #write: (entry: AuditEntry) => void;

  constructor(
    cmdlet: Cmdlet,
    bound: ReadonlyMap<string, unknown>,
    { host, write }: { readonly host: CommandHost; readonly write: (entry: AuditEntry) => void },
  ) {
    this.#cmdlet = cmdlet;
    this.#bound = bound;
    this.#host = host;
    this.#write = write;
  }

  /** At once after each change, so that nothing which comes later can keep it from being written. */
  changed({ object, dn, properties }: AuditedChange): void {
    this.#record({ object, dn, properties, succeeded: true, error: '' });
  }

  /** What a cmdlet that changes something was asked for and did not do. */
  failed(error: unknown): void {
    if (!this.#cmdlet.supportsShouldProcess || /^(?:Get|Search|Test)-/.test(this.#cmdlet.name)) return;
    const object = toText(this.#bound.get('Identity') ?? this.#bound.get('Name') ?? '');
    const message = error instanceof Error ? error.message : String(error);
    this.#record({ object, dn: '', properties: [], succeeded: false, error: message });
  }

  #record(facts: Omit<AuditEntry, 'cmdlet' | 'parameters' | 'line'>): void {
    try {
      this.#write({ ...facts, cmdlet: this.#cmdlet.name, parameters: this.#parameters(), line: this.#host.line });
    } catch (error) {
      const what = facts.succeeded ? 'The change is done' : 'Nothing was changed';
      this.#host.warning(`${what}, but it could not be written to the admin audit log: ${(error as Error).message}`);
    }
  }

  #parameters(): AuditEntry['parameters'] {
    return [...this.#bound].map(([name, value]) => {
      const type = this.#cmdlet.parameters.find((one) => one.name === name)?.type ?? '';
      return { name, value: secretTypes.test(type) || secretNames.test(name) ? '********' : printed(value) };
    });
  }
}

function printed(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(printed).join(', ');
  if (value instanceof Hashtable) {
    return `@{${value
      .entries()
      .map(([key, item]) => `${toText(key)}=${printed(item)}`)
      .join('; ')}}`;
  }
  return toText(value);
}
