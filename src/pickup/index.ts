/**
 * The pickup folder: text files that a device or a script leaves there become messages, by Exchange's rules: sender and recipients stand in
 * the header, Bcc goes, and nobody brings routing or organization fields this way. The folder lies outside the private state, at an
 * absolute path. The replay folder beside it takes exported messages whose envelope stands in injected fields. Left out: who may write into the folder, which the system's rights say.
 */

export { PickupFolder } from './pickup-folder.ts';
