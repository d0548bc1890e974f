/** The door of what seals passwords: processes that only write a connector load this alone, without the library for certificates. */
export { SecretBox } from './secret-box.ts';
