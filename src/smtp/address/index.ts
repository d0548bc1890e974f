/** The door of domains as mail addresses have them, for configuration. */
export { AddressError } from '../address-error.ts';
export { parseDomain } from '../domain.ts';
