import { userInfo } from 'node:os';

/** The name of the account that this process runs as: `edge`; `uid 1234` for one that the system does not list, as in containers. */
export function ownAccountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
