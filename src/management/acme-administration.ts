import type { AcmeAdministration } from '../cmdlets/index.ts';

/** ACME for the appliance whose certificates lie in this folder. Everything is loaded when it is asked for. */
export function acmeAdministration(folder: string): AcmeAdministration {
  const room = () => import('../certificates/acme/index.ts');
  return {
    orders: async () => (await room()).readAcmeOrders(folder),
    keep: async (orders) => (await room()).writeAcmeOrders(folder, orders),
    async request(service, csr, { authorities, externalAccount }, signal) {
      const { hookVariable, orderCertificate } = await room();
      const { acmeAccountKey, keyPassphrase } = await import('../certificates/index.ts');
      const parts = {
        accountKey: await acmeAccountKey(folder, keyPassphrase()),
        hook: process.env[hookVariable] ?? '',
        authorities,
        externalAccount,
      };
      return orderCertificate(service, csr, parts, signal);
    },
  };
}
