/** Receive connectors as places that `edge tls test` can look at, whether the appliance runs or not. */
export { openConnectorPlaces } from './connector-places.ts';
