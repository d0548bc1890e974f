import { lookup } from 'node:dns/promises';
import { type DnsAnswer, type DnsAsker, DnsFailure, type DnsType } from '../../dns/index.ts';
import { type AddressAnswer, DnsError, type MailResolver, type MxAnswer } from './resolver.ts';

interface MxData {
  readonly exchange: string;
  readonly preference: number;
}

/** Asks a validating resolver, and keeps its word on what is secure. */
export class SecureResolver implements MailResolver {
  readonly #dns: DnsAsker;
  readonly #believed: () => Promise<boolean>;

  /** `believed`: whether the resolver's AD bit counts now. */
  constructor(dns: DnsAsker, believed: () => Promise<boolean>) {
    this.#dns = dns;
    this.#believed = believed;
  }

  async mx(domain: string, signal: AbortSignal): Promise<MxAnswer> {
    const { code, secure, records } = await this.#ask(domain, 'MX', signal);
    const believed = secure && (await this.#believed());
    if (code === 'NXDOMAIN') throw noSuch(`MX of ${domain}`, believed);
    return {
      records: records.map(({ data }) => {
        const { exchange, preference } = data as MxData;
        return { exchange: exchange.replace(/\.$/, ''), priority: preference };
      }),
      secure: believed,
    };
  }

  async addresses(host: string, signal: AbortSignal): Promise<AddressAnswer> {
    const [four, six] = await Promise.allSettled([this.#ask(host, 'A', signal), this.#ask(host, 'AAAA', signal)]);
    const answers = [four, six].flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const addresses = answers.flatMap(({ records }) => records.map(({ data }) => String(data)));
    const failed = [four, six].find((one) => one.status === 'rejected');
    // RFC 7672 §2.1.2: who can suppress one answer must not gain that the other one counts as insecure.
    if (failed !== undefined && (addresses.length === 0 || (await this.#believed()))) throw failed.reason;
    if (addresses.length === 0) {
      const missing = answers.every(({ code }) => code === 'NXDOMAIN');
      throw missing
        ? noSuch(`address of ${host}`, false)
        : new DnsError('no-record', `The DNS knows no address of ${host}`);
    }
    const secure = answers.length === 2 && answers.every((answer) => answer.secure) && (await this.#believed());
    return { addresses, secure, aliases: answers.find(({ records }) => records.length > 0)?.aliases ?? [] };
  }

  async hostAddresses(host: string, signal: AbortSignal): Promise<AddressAnswer> {
    try {
      return await this.addresses(host, signal);
    } catch (error) {
      if (!(error instanceof DnsError) || error.fault === 'temporary') throw error;
      // A name of the hosts file alone; nothing vouches for it but this machine.
      const found = await lookup(host, { all: true }).catch(() => []);
      if (found.length === 0) throw error;
      return { addresses: [...new Set(found.map(({ address }) => address))], secure: false, aliases: [] };
    }
  }

  async #ask(name: string, type: DnsType, signal: AbortSignal): Promise<DnsAnswer> {
    try {
      return await this.#dns.ask(name, type, signal);
    } catch (cause) {
      if (!(cause instanceof DnsFailure) && !signal.aborted) throw cause;
      const why = cause instanceof DnsFailure ? cause.code : 'no answer in time';
      throw new DnsError('temporary', `The DNS gave no answer for the ${type} of ${name} (${why})`, { cause });
    }
  }
}

function noSuch(what: string, secure: boolean): DnsError {
  return new DnsError('no-such-domain', `The DNS knows no ${what}: the name does not exist`, { secure });
}
