import { lookup, Resolver } from 'node:dns/promises';
import { type AddressAnswer, DnsError, type DnsFault, type MailResolver, type MxAnswer } from './resolver.ts';

export interface NodeResolverOptions {
  /** Addresses of DNS servers ('192.0.2.1', '192.0.2.1:5353'); those of the machine when absent or empty. */
  readonly servers?: readonly string[];
  /** For one lookup with all its tries, in milliseconds. Default 20,000. */
  readonly timeoutMs?: number;
}

/** Codes of Node's resolver and of getaddrinfo that are an answer; every other one means: no answer. */
const faults: Readonly<Record<string, DnsFault>> = {
  ENOTFOUND: 'no-such-domain',
  ENODATA: 'no-record',
};

/** Asks the DNS through Node's resolver. */
export class NodeResolver implements MailResolver {
  readonly #options: NodeResolverOptions;
  readonly #timeoutMs: number;

  constructor(options: NodeResolverOptions = {}) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 20_000;
  }

  async mx(domain: string, signal: AbortSignal): Promise<MxAnswer> {
    return this.#ask(`MX of ${domain}`, signal, async (resolver) => {
      const records = await resolver.resolveMx(domain);
      return {
        records: records.map(({ exchange, priority }) => ({ exchange: exchange.replace(/\.$/, ''), priority })),
        secure: false,
      };
    });
  }

  /** An address of one family is enough; only when neither has one does the better reason count. */
  async addresses(host: string, signal: AbortSignal): Promise<AddressAnswer> {
    return this.#ask(`address of ${host}`, signal, async (resolver) => {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (found.length > 0) return insecure(found);
      const reasons = answers.flatMap((answer): unknown[] => (answer.status === 'rejected' ? [answer.reason] : []));
      throw reasons.find((reason) => faultOf(reason) === 'temporary') ?? reasons[0];
    });
  }

  async hostAddresses(host: string, signal: AbortSignal): Promise<AddressAnswer> {
    return this.#ask(`address of ${host}`, signal, async () => {
      const found = await lookup(host, { all: true });
      return insecure([...new Set(found.map(({ address }) => address))]);
    });
  }

  /** A resolver for each question: cancelling one that is shared would cancel everybody's. */
  async #ask<T>(what: string, signal: AbortSignal, question: (resolver: Resolver) => Promise<T>): Promise<T> {
    const resolver = new Resolver({ timeout: Math.min(5_000, this.#timeoutMs), tries: 3 });
    if (this.#options.servers !== undefined && this.#options.servers.length > 0) {
      resolver.setServers(this.#options.servers);
    }
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    const ended = Promise.withResolvers<never>();
    const end = (): void => {
      resolver.cancel();
      ended.reject(new DnsError('temporary', `No answer from the DNS in time for the ${what}`));
    };
    limit.addEventListener('abort', end);
    try {
      if (limit.aborted) end();
      return await Promise.race([question(resolver), ended.promise]);
    } catch (cause) {
      if (cause instanceof DnsError) throw cause;
      const fault = faultOf(cause);
      throw new DnsError(fault, sentence(fault, what, cause), { cause });
    } finally {
      limit.removeEventListener('abort', end);
    }
  }
}

/** Node's resolver does not say whether an answer was validated. */
function insecure(addresses: readonly string[]): AddressAnswer {
  return { addresses, secure: false, aliases: [] };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function faultOf(error: unknown): DnsFault {
  return faults[codeOf(error)] ?? 'temporary';
}

function sentence(fault: DnsFault, what: string, cause: unknown): string {
  if (fault === 'no-such-domain') return `The DNS knows no ${what}: the name does not exist`;
  if (fault === 'no-record') return `The DNS knows no ${what}`;
  return `The DNS gave no answer for the ${what} (${codeOf(cause) || 'unknown fault'})`;
}
