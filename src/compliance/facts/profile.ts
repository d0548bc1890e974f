/** Profiles: named standards as data. A profile is a list of rules; each names a check, what is expected, and its source. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileReason } from '../../base/text/index.ts';

/** From best to worst. 'info' never counts as a miss. */
const verdicts = ['pass', 'info', 'notice', 'warn', 'fail'] as const;
export type Miss = 'info' | 'notice' | 'warn' | 'fail';

/** Which endpoints a rule is for: those that take TLS 1.3, something older, a CBC suite, or versions before TLS 1.2 but no TLS 1.3. */
export type Applies = (typeof applications)[number];
const applications = ['tls1_3', 'tls1_2-', 'cbc', 'fallback'] as const;

/** One rule. Which of the optional fields stand there, the check says (`checks.ts`). */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly check: string;
  /** What an endpoint that misses it gets. */
  readonly miss: Miss;
  /** The same where mail comes by MX: a sender that is refused TLS there sends in the clear (RFC 7435). */
  readonly missOpportunistic?: Miss;
  readonly source: string;
  readonly confidence: string;
  readonly subject?: string;
  readonly expect?: string;
  readonly applies?: Applies;
  /** Names, with `*` for any text. */
  readonly accept?: readonly string[];
  readonly tolerate?: readonly string[];
  readonly missTolerated?: Miss;
  readonly reject?: readonly string[];
  readonly ignore?: readonly string[];
  readonly of?: readonly string[];
  readonly better?: readonly string[];
  readonly types?: readonly string[];
  readonly rsaBits?: { readonly good: number; readonly tolerate?: number };
  readonly ecBits?: { readonly good: number };
  readonly curves?: { readonly accept: readonly string[]; readonly tolerate?: readonly string[] };
  readonly minBits?: number;
  readonly maxDays?: number;
  readonly maxSeconds?: number;
  readonly failDays?: number;
  readonly warnDays?: number;
  readonly noticeDays?: number;
  readonly steps?: readonly { readonly issuedFrom: string; readonly maxDays: number }[];
}

export interface Profile {
  readonly id: string;
  readonly title: string;
  readonly sources: readonly string[];
  readonly rules: readonly Rule[];
}

const folder = fileURLToPath(new URL('../profiles/', import.meta.url));

/** Identifiers of the profiles that come along. */
export function profileNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .toSorted();
}

/** A profile by its identifier, or from a file where a path is given. Throws RangeError that says what is wrong with it. */
export function loadProfile(name: string): Profile {
  const own = profileNames().includes(name);
  if (!own && !/[./]/.test(name)) {
    throw new RangeError(`there is no profile '${name}': ${profileNames().join(', ')}, or the path of a file`);
  }
  let text: string;
  try {
    text = readFileSync(own ? join(folder, `${name}.json`) : name, 'utf8');
  } catch (cause) {
    throw new RangeError(`the profile ${name} cannot be read: ${fileReason(cause)}`, { cause });
  }
  return parseProfile(text, name);
}

const schemaName = 'edge.tls-profile/1';

/** Throws RangeError that names the rule at fault. */
export function parseProfile(text: string, name: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RangeError(`the profile ${name} is no JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isRecord(value) || value['schema'] !== schemaName) {
    throw new RangeError(`the profile ${name} does not name its schema "${schemaName}"`);
  }
  const { id, title, sources = [], rules } = value;
  if (typeof id !== 'string' || typeof title !== 'string' || !Array.isArray(rules)) {
    throw new RangeError(`the profile ${name} needs 'id', 'title' and 'rules'`);
  }
  const parsed = rules.map((rule) => parseRule(rule, name));
  const twice = parsed.find((rule, i) => parsed.findIndex((one) => one.id === rule.id) < i);
  if (twice !== undefined) throw new RangeError(`the profile ${name} has two rules '${twice.id}'`);
  return { id, title, sources: sources as string[], rules: parsed };
}

const texts = ['id', 'title', 'check', 'miss', 'source', 'confidence'] as const;
const lists = ['accept', 'tolerate', 'reject', 'ignore', 'of', 'better', 'types'] as const;
const numbers = ['minBits', 'maxDays', 'maxSeconds', 'failDays', 'warnDays', 'noticeDays'] as const;
const misses: readonly string[] = verdicts.slice(1);

function parseRule(value: unknown, name: string): Rule {
  if (!isRecord(value)) throw new RangeError(`the profile ${name} has a rule that is no object`);
  const at = `the profile ${name}, rule ${typeof value['id'] === 'string' ? value['id'] : '?'}:`;
  for (const key of texts) if (typeof value[key] !== 'string') throw new RangeError(`${at} '${key}' is no text`);
  for (const key of lists) {
    const list = value[key];
    if (list !== undefined && !(Array.isArray(list) && list.every((entry) => typeof entry === 'string')))
      throw new RangeError(`${at} '${key}' is no list of texts`);
  }
  for (const key of numbers) {
    if (value[key] !== undefined && !Number.isFinite(value[key])) throw new RangeError(`${at} '${key}' is no number`);
  }
  for (const key of ['miss', 'missTolerated', 'missOpportunistic']) {
    const given = value[key];
    if (given !== undefined && !(typeof given === 'string' && misses.includes(given)))
      throw new RangeError(`${at} '${key}' is none of ${misses.join(', ')}`);
  }
  const { applies } = value;
  if (applies !== undefined && !applications.some((one) => one === applies))
    throw new RangeError(`${at} 'applies' is none of ${applications.join(', ')}`);
  for (const [key, fits] of Object.entries(shapes))
    if (value[key] !== undefined && !fits(value[key]))
      throw new RangeError(`${at} '${key}' has not the shape of the schema`);
  return value as unknown as Rule;
}

const isList = (value: unknown): boolean => Array.isArray(value) && value.every((entry) => typeof entry === 'string');
const isNumber = (value: unknown): boolean => value === undefined || Number.isFinite(value);
const hasGood = (value: unknown): boolean =>
  isRecord(value) && Number.isFinite(value['good']) && isNumber(value['tolerate']);

/** What the fields are that hold more than a text, a number or a list. */
const shapes: Readonly<Record<string, (value: unknown) => boolean>> = {
  subject: (value) => typeof value === 'string',
  expect: (value) => typeof value === 'string',
  rsaBits: hasGood,
  ecBits: hasGood,
  curves: (value) =>
    isRecord(value) && isList(value['accept']) && (value['tolerate'] === undefined || isList(value['tolerate'])),
  steps: (value) =>
    Array.isArray(value) &&
    value.every((step) => isRecord(step) && typeof step['issuedFrom'] === 'string' && Number.isFinite(step['maxDays'])),
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
