import { systemClock } from '../base/index.ts';
import type { RenewalTimes } from '../certificates/acme/index.ts';
import type { AcmeAdministration } from '../cmdlets/index.ts';

/** ACME for the appliance whose certificates lie in this folder. Everything is loaded when it is asked for. */
export function acmeAdministration(folder: string): AcmeAdministration {
  const room = () => import('../certificates/acme/index.ts');
  let known: RenewalTimes | undefined;
  const times = async (): Promise<RenewalTimes> => (known ??= new (await room()).RenewalTimes(systemClock));
  return {
    orders: async () => (await room()).readAcmeOrders(folder),
    keep: async (orders) => (await room()).writeAcmeOrders(folder, orders),
    renewalTime: async (service, certificate, authorities, signal) =>
      authorities === undefined
        ? (await times()).known(certificate)
        : (await times()).of(service, certificate, authorities, signal),
    async request(service, csr, { authorities, externalAccount, replaced }, signal) {
      const { hookVariable, orderCertificate } = await room();
      const { acmeAccountKey, keyPassphrase } = await import('../certificates/index.ts');
      const parts = {
        accountKey: await acmeAccountKey(folder, keyPassphrase()),
        hook: process.env[hookVariable] ?? '',
        authorities,
        externalAccount,
        replaces: replaced && (await (await times()).replaces(service, replaced, authorities, signal)),
      };
      return orderCertificate(service, csr, parts, signal);
    },
  };
}
