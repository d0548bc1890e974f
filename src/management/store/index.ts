/** The door of who calls cmdlets on a stopped state: a process of its own has the store open, and is called as a service is. */
export { StoreProcess } from './store-process.ts';
