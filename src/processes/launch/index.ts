/** The door of who starts one process as another account. */
export { asAccount } from './setpriv.ts';
