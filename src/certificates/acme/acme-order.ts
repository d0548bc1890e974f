/** Orders a certificate: RFC 8555, by acme-client. */
import type { Client } from 'acme-client';
import { CertificateError } from '../certificate-error.ts';
import { agentFor } from './authority-agent.ts';
import { type ChallengeType, runHook } from './challenge-hook.ts';

export interface AcmeService {
  /** 'https://acme-v02.api.letsencrypt.org/directory'. */
  readonly directoryUrl: string;
  /** Mail address; '' for none. */
  readonly contact: string;
  readonly challenge: ChallengeType;
}

/** Ties a new account to one that the authority knows (RFC 8555 §7.3.4): what a customer gets from it. */
export interface ExternalAccount {
  readonly keyId: string;
  /** MAC key, base64url. */
  readonly key: string;
}

export interface AcmeOrderParts {
  /** PEM of the key of the account. */
  readonly accountKey: string;
  /** Program that puts the answers to challenges where the authority looks for them. */
  readonly hook: string;
  /** PEM of the authorities that the directory's certificate may come from. */
  readonly authorities: readonly string[];
  /** Only for an account that is not there yet. */
  readonly externalAccount?: ExternalAccount | undefined;
  /** The certificate that it comes in place of, where the authority knows of such: RFC 9773 §5. */
  readonly replaces?: string | undefined;
}

/** Most time that one order takes, in milliseconds. */
const orderMs = 10 * 60_000;

/** Resolves with the chain, leaf first, PEM. Throws CertificateError that says what the authority said. */
export async function orderCertificate(
  { directoryUrl, contact, challenge }: AcmeService,
  csr: string,
  { accountKey, hook, authorities, externalAccount, replaces }: AcmeOrderParts,
  signal: AbortSignal,
): Promise<string> {
  // Loaded by the first order: most appliances never need it.
  const { default: acme } = await import('acme-client');
  const agent = await agentFor(authorities);
  acme.axios.defaults.httpsAgent = agent;
  acme.axios.defaults.timeout = 60_000;
  const type = challenge === 'Http01' ? 'http-01' : 'dns-01';
  const limit = AbortSignal.any([signal, AbortSignal.timeout(orderMs)]);
  const client = new acme.Client({
    directoryUrl,
    accountKey,
    ...(externalAccount && {
      externalAccountBinding: { kid: externalAccount.keyId, hmacKey: externalAccount.key },
    }),
    backoffAttempts: 20,
    backoffMin: 200,
    backoffMax: 10_000,
  });
  const run = (action: 'add' | 'remove', domain: string, token: string, answer: string): Promise<void> =>
    runHook(hook, { action, type, domain, token, answer }, limit);
  if (replaces !== undefined) tellReplaced(client, replaces);
  try {
    await account(client, contact);
    const order = client.auto({
      csr,
      // The authority looks for itself; from here the answer may not be seen at all.
      skipChallengeVerification: true,
      challengePriority: [type],
      challengeCreateFn: ({ identifier }, { type: offered, token }, answer) => {
        if (offered !== type)
          throw new CertificateError(`the authority offers ${offered} for ${identifier.value}, not ${type}`);
        return run('add', identifier.value, token, answer);
      },
      challengeRemoveFn: ({ identifier }, { token }, answer) => run('remove', identifier.value, token, answer),
    });
    return await Promise.race([order, aborted(limit)]);
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause;
    // The library trips over errors without a request: nobody answers there.
    const why = cause instanceof TypeError ? 'it does not answer' : (cause as Error).message;
    throw new CertificateError(`the authority at ${directoryUrl} gave no certificate: ${why}`, { cause });
  } finally {
    agent.destroy();
  }
}

/** RFC 9773 §5. The library has no word for it; an authority that refuses it (the certificate was replaced already) takes the order without. */
function tellReplaced(client: Client, replaces: string): void {
  const plain = client.createOrder.bind(client);
  client.createOrder = async (wish) => {
    try {
      const telling = { ...wish, replaces };
      return await plain(telling);
    } catch {
      return plain(wish);
    }
  };
}

/** The library updates an account that is there already, and authorities refuse an update that changes nothing. */
async function account(client: Client, contact: string): Promise<void> {
  const wish = { termsOfServiceAgreed: true, ...(contact !== '' && { contact: [`mailto:${contact}`] }) };
  try {
    await client.createAccount(wish);
  } catch (error) {
    if (!isKnown(client)) throw error;
  }
}

function isKnown(client: Client): boolean {
  try {
    return client.getAccountUrl() !== '';
  } catch {
    return false;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new CertificateError('the order took too long or was stopped')), {
      once: true,
    });
  });
}

/** Throws CertificateError for what is no https: address. */
export function checkedDirectoryUrl(text: string): string {
  if (URL.parse(text)?.protocol === 'https:') return text;
  throw new CertificateError(`'${text}' is no address such as https://acme-v02.api.letsencrypt.org/directory`);
}
