/**
 * Next hops whose queues an administrator suspended. They are kept in one file below the spool, which the directory process
 * writes and every worker reads at its start: mail that comes to another worker, or after a restart, is held back as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../base/index.ts';
import type { StatePaths } from '../processes/index.ts';
import type { NextHop } from '../queue/index.ts';

const types: readonly string[] = [
  'SmartHostConnectorDelivery',
  'DnsConnectorDelivery',
  'SmtpDeliveryToMailbox',
  'Unreachable',
];

/** The suspended next hops of a state directory. */
export class QueueHolds {
  readonly #path: string;

  constructor(paths: StatePaths) {
    this.#path = join(paths.spool, 'suspended.json');
  }

  /** None when the file is missing or holds something else. */
  read(): readonly NextHop[] {
    try {
      const hops: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      return Array.isArray(hops) ? hops.filter(isHop) : [];
    } catch {
      return [];
    }
  }

  /** Durable when it resolves. */
  async hold(hop: NextHop): Promise<void> {
    await this.#write([...this.read().filter(({ key }) => key !== hop.key), hop]);
  }

  async release(hop: NextHop): Promise<void> {
    const held = this.read();
    const kept = held.filter(({ key }) => key !== hop.key);
    if (kept.length < held.length) await this.#write(kept);
  }

  async #write(hops: readonly NextHop[]): Promise<void> {
    await replaceFile(this.#path, JSON.stringify(hops));
  }
}

function isHop(value: unknown): value is NextHop {
  if (typeof value !== 'object' || value === null) return false;
  const { key, type, domain, connector } = value as Record<string, unknown>;
  return [key, domain, connector].every((text) => typeof text === 'string') && types.includes(String(type));
}
