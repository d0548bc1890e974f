/** Answers of DNS and of published policies to one question, and what they are asked with. */
import { type DnsAnswer, DnsFailure, type DnsType } from '../../dns/index.ts';
import { notTested } from '../facts/facts.ts';
import type { FetchedPolicy } from './sts-fetch.ts';
import type { Lookup } from './targets.ts';

export interface DomainAnswer {
  readonly answer: 'yes' | 'no' | 'not-applicable' | `not-tested(${string})`;
  readonly evidence: string;
}

/** By subject, as rules name them. */
export type DomainFacts = Readonly<Record<string, DomainAnswer>>;

export const yes = (evidence: string): DomainAnswer => ({ answer: 'yes', evidence });
export const no = (evidence: string): DomainAnswer => ({ answer: 'no', evidence });
export const pointless = (evidence: string): DomainAnswer => ({ answer: 'not-applicable', evidence });
export const untested = (reason: string): DomainAnswer => ({ answer: notTested(reason), evidence: '' });

export interface DomainParts {
  readonly lookup: Lookup;
  /** Whether AD of this resolver may be believed; else nothing of DNSSEC is tested. */
  readonly believed: boolean;
  /** Fetches the policy of a domain. */
  readonly fetchPolicy: (domain: string) => Promise<FetchedPolicy>;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export const notBelieved = 'no validating resolver on loopback or declared trusted was named (--resolver)';

export function ask({ lookup, signal }: DomainParts, name: string, type: DnsType): Promise<DnsAnswer> {
  return lookup.ask(name, type, signal);
}

export async function orFailure(act: () => Promise<DomainAnswer>): Promise<DomainAnswer> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof DnsFailure) return untested(error.message);
    if (error instanceof RangeError) return no(error.message);
    throw error;
  }
}
