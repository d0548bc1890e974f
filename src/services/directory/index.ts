/** The process that owns the directory and its LDAP face, the certificates' making, and the management endpoint. */
import { runAsProcess } from '../child-process.ts';
import { openDirectoryService } from './directory-service.ts';

/** Runs the directory service as this process. */
export async function runDirectoryService(): Promise<void> {
  await runAsProcess(openDirectoryService);
}
