/** The demonstration: an Edge appliance and its internal hub on loopback ports, with real messages through them. */
export { lab } from './lab.ts';
