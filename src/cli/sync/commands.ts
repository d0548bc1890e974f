/** The commands of `edge sync`, loaded when one is asked for. */

export { init, logon, rekey, resume, subscribe, undo, unsubscribe } from './manage.ts';
export { mapping } from './mapping.ts';
export { exportAddresses, plan, preview, status } from './read.ts';
export { apply, run } from './run.ts';
export { socketmap } from './socketmap.ts';
