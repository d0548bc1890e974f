/** MTA-STS as text: the record in DNS and the policy behind it. RFC 8461. Fetching is for who has sockets. */

/** What `_mta-sts.<domain>` says. */
export interface StsRecord {
  /** 1 to 32 letters and digits; changes with the policy. */
  readonly id: string;
}

export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Seconds, 0 to 31,557,600. */
  readonly maxAge: number;
  /** Host names and `*.` patterns, lower case; empty only with mode 'none'. */
  readonly mx: readonly string[];
}

/** RFC 8461 §3.2 recommends to read no more of a policy. */
export const maxPolicyBytes = 65_536;

/** A year: the longest `max_age` (§3.2). */
export const maxPolicyAge = 31_557_600;

/**
 * The record among the TXT texts of `_mta-sts.<domain>`, each joined from its strings. Undefined when none begins with
 * "v=STSv1"; throws RangeError for several, or one without a proper id: §3.1 says that there is no policy then.
 */
export function parseStsRecord(texts: readonly string[]): StsRecord | undefined {
  const records = texts.filter((text) => /^v=STSv1\s*(;|$)/.test(text));
  if (records.length > 1) throw new RangeError(`${records.length} records begin with v=STSv1, one must`);
  const [record] = records;
  if (record === undefined) return undefined;
  const ids = record.split(';').flatMap((field) => /^\s*id\s*=\s*([A-Za-z0-9]{1,32})\s*$/.exec(field)?.[1] ?? []);
  const [id] = ids;
  if (id === undefined || ids.length > 1) throw new RangeError('the record has no id of 1 to 32 letters and digits');
  return { id };
}

/** Reads a policy. Throws RangeError that says what is wrong. Unknown keys are passed over (§3.2). */
export function parseStsPolicy(text: string): StsPolicy {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [, key, value = ''] = /^\s*([A-Za-z0-9][A-Za-z0-9_.-]{0,31})\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === undefined) throw new RangeError(`line ${i + 1} is no 'key: value'`);
    if (key === 'mx') mx.push(pattern(value, i + 1));
    // The first of a key counts (§3.2).
    else if (!fields.has(key)) fields.set(key, value);
  }
  if (fields.get('version') !== 'STSv1') throw new RangeError("'version' is not STSv1");
  const mode = fields.get('mode');
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none')
    throw new RangeError("'mode' is none of enforce, testing, none");
  const maxAge = fields.get('max_age') ?? '';
  if (!/^\d{1,10}$/.test(maxAge) || Number(maxAge) > maxPolicyAge) {
    throw new RangeError(`'max_age' is no number from 0 to ${maxPolicyAge}`);
  }
  if (mx.length === 0 && mode !== 'none') throw new RangeError("there is no 'mx'");
  return { mode, maxAge: Number(maxAge), mx };
}

function pattern(value: string, line: number): string {
  const name = value.toLowerCase().replace(/\.$/, '');
  if (!/^(\*\.)?[a-z0-9_]([a-z0-9_-]*)(\.[a-z0-9_-]+)*$/.test(name))
    throw new RangeError(`line ${line}: 'mx' is no host name or pattern`);
  return name;
}

/** The lines of a policy (§3.2). */
export function stsPolicyLines({ mode, mx, maxAge }: StsPolicy): readonly string[] {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map((name) => `mx: ${name}`), `max_age: ${maxAge}`];
}

/** §4.1: a `*.` stands for exactly one label. */
export function stsAllows({ mx }: Pick<StsPolicy, 'mx'>, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const parent = name.includes('.') ? `*${name.slice(name.indexOf('.'))}` : undefined;
  return mx.some((allowed) => allowed === name || allowed === parent);
}
