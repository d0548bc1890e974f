import { SecureString } from '../calling/secure-string.ts';
import { isObject, plainText } from '../parameter-values.ts';
import { isHash } from '../parameters.ts';
import type { AuditEntry, AuditedChange, BoundParameters, Cmdlet } from '../runtime.ts';

/** Types of parameters that hold secrets, and names of those of other types that do. */
const secretTypes = /^(?:SecureString|PSCredential)$/i;
const secretNames = /password|passphrase|credential/i;

/** Longest text of one value and of the line, in characters: content goes into no log. */
const mostText = 4096;

/** What is recorded of every call. */
interface Call {
  readonly cmdlet: Cmdlet;
  readonly bound: BoundParameters;
  readonly line: string;
}

/** Writes what one call of a cmdlet did to the admin audit log. */
export class AuditRecorder {
  readonly #call: Call;
  readonly #write: (entry: AuditEntry) => void;
  readonly #caller: { warning(text: string): void };

  constructor(call: Call, write: (entry: AuditEntry) => void, caller: { warning(text: string): void }) {
    this.#call = call;
    this.#write = write;
    this.#caller = caller;
  }

  /** At once after each change, so that nothing which comes later can keep it from being written. */
  changed({ object, dn, properties }: AuditedChange): void {
    this.#record({ object, dn, properties, succeeded: true, error: '' });
  }

  /** What a cmdlet was asked for and did not do. Cmdlets that only look are left out. */
  failed(error: unknown): void {
    const { cmdlet, bound } = this.#call;
    if (/^(?:Get|Search|Test)-/.test(cmdlet.name)) return;
    const object = printed(bound.get('Identity') ?? bound.get('Name') ?? '');
    const message = error instanceof Error ? error.message : String(error);
    this.#record({ object, dn: '', properties: [], succeeded: false, error: message });
  }

  #record(outcome: Omit<AuditEntry, 'cmdlet' | 'parameters' | 'line'>): void {
    const { cmdlet, line } = this.#call;
    try {
      this.#write({ ...outcome, cmdlet: cmdlet.name, parameters: this.#parameters(), line: bounded(line) });
    } catch (error) {
      const what = outcome.succeeded ? 'It is done' : 'Nothing was changed';
      this.#caller.warning(`${what}, but it could not be written to the admin audit log: ${(error as Error).message}`);
    }
  }

  #parameters(): AuditEntry['parameters'] {
    const { cmdlet, bound } = this.#call;
    return [...bound].map(([name, value]) => {
      const type = cmdlet.parameters.find((one) => one.name === name)?.type ?? '';
      const secret = secretTypes.test(type) || secretNames.test(name);
      return { name, value: secret ? '********' : bounded(printed(value)) };
    });
  }
}

function bounded(text: string): string {
  return text.length <= mostText ? text : `${text.slice(0, mostText)}…`;
}

function printed(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(printed).join(', ');
  if (value instanceof SecureString) return '********';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (isObject(value)) return plainText(value.get('Identity') ?? value.get('Name') ?? value.typeName);
  if (isHash(value)) {
    const entries = value.keys().map((key) => `${plainText(key)}=${printed(value.get(key))}`);
    return `@{${entries.join('; ')}}`;
  }
  return plainText(value);
}
